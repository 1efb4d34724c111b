// `top`: the screen, the keys and the bus on one event loop.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "dbus/ctl/bus_client.h"
#include "dbus/ctl/top/control_groups.h"
#include "dbus/ctl/top/controls.h"
#include "dbus/ctl/top/link.h"
#include "dbus/ctl/top/model.h"
#include "dbus/ctl/top/screen.h"

namespace shorewatch::ctl {

class Top {
  public:
    // SIGINT, SIGTERM, SIGHUP, SIGTSTP and SIGWINCH are blocked in every thread. Throws CommandError.
    Top(const BusChoice& bus, bool colour);

    // Until the user has enough of it. Throws CommandError.
    void run();

  private:
    void connect(std::unique_ptr<sdbus::IConnection> connection);
    void reconnect();
    void lose_bus(const CommandError& why);
    [[nodiscard]] TopLink::Listener listener();

    void read_keys();
    void act(const TopAction& action);
    void measure();
    void take_turn_in_background();

    void request_draw();
    void draw();
    [[nodiscard]] TopLayout layout() const;
    void say(std::string text, Tone tone);

    BusChoice bus_;
    TopModel model_;
    TopState state_;
    ControlGroups groups_;
    UsageSamples samples_;
    bool unicode_;
    EventLoop loop_;
    std::unique_ptr<sdbus::IConnection> first_connection_;  // reached before the screen is taken
    TopScreen screen_;
    bool ended_ = false;
    Clock::time_point draw_again_{};  // not earlier
    Timer draw_;
    Timer measure_;
    Timer reconnect_;
    EventSource writable_;
    std::vector<EventSource> sources_;
    std::unique_ptr<TopLink> link_;
};

}  // namespace shorewatch::ctl
