// The bus side of `top`: one connection, what comes over it for the model, and what is asked of the daemon.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "dbus/ctl/bus_loop.h"
#include "dbus/ctl/loop_guard.h"
#include "dbus/ctl/top/controls.h"
#include "dbus/ctl/top/model.h"
#include "dbus/ctl/watch_feed.h"
#include "dbus/ctl/watch_source.h"

namespace shorewatch::ctl {

class TopLink {
  public:
    struct Listener {
        std::function<void()> changed;                              // the model
        std::function<void(std::string text, Tone tone)> answered;  // what became of an action
    };

    // Serves connection on the loop while it lives; the loop's run() throws sdbus::Error once the connection
    // is gone. Throws CommandError.
    TopLink(EventLoop& loop, const BusChoice& bus, std::unique_ptr<sdbus::IConnection> connection,
            TopModel& model, Listener listener);
    TopLink(const TopLink&) = delete;
    TopLink& operator=(const TopLink&) = delete;
    ~TopLink() = default;

    // Pauses, unpauses or stops a container; answered() says when it is done, or why not.
    void ask(const TopAction& action);

    // After the loop has stopped: throws what stopped it, if that was a failure.
    void rethrow_failure() const;

  private:
    void take(const WatchEvent& event);
    void list_engines();
    void subscribe_to_removals();

    BusChoice bus_;
    std::unique_ptr<sdbus::IConnection> connection_;
    TopModel& model_;
    Listener listener_;
    LoopGuard guard_;
    WatchFeed feed_;
    BusLoop bus_loop_;
    WatchSource source_;
    bus::Match removals_;
    std::unique_ptr<sdbus::IProxy> lister_;  // of the present owner; with it goes a call that is under way
    bool listing_ = false;
    bool list_again_ = false;
    std::unique_ptr<sdbus::IProxy> actor_;  // of the container that was acted on last
    bool acting_ = false;
};

}  // namespace shorewatch::ctl
