// The bus side of `watch`: the daemon's signals and lists, as they come, and its coming and going.
#pragma once

#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "dbus/compat/sdbus_client.h"
#include "dbus/ctl/bus_client.h"
#include "dbus/ctl/watch_feed.h"
#include "engines/support/event_loop.h"

namespace shorewatch::ctl {

class WatchSource {
  public:
    // Subscribes, has the daemon started if it can be, and from then on tells feed. list_filter: what to
    // list; it must let pass whatever the feed does. The loop is stopped at the first failure. Throws
    // CommandError.
    WatchSource(EventLoop& loop, sdbus::IConnection& connection, BusKind bus, ContainerFilter list_filter,
                WatchFeed& feed);
    ~WatchSource();
    WatchSource(const WatchSource&) = delete;
    WatchSource& operator=(const WatchSource&) = delete;

    // Asks the daemon that is there now for all engines; if it goes first, nobody is called.
    void ask_engines(std::function<void(const std::vector<EngineInfo>&)> take);

    // After the loop has stopped: throws what stopped it, if that was a failure.
    void rethrow_failure() const;

    // The unique name of the daemon's connection, for calls that are not to start one; empty: it is not
    // there.
    [[nodiscard]] const std::string& owner() const noexcept { return owner_; }

  private:
    class Signals;

    // No exception may cross libsystemd: it ends the loop, and rethrow_failure() has it.
    template <typename Call>
    void guarded(const Call& call) noexcept;
    void fail(std::exception_ptr failure) noexcept;

    void ask_owner(std::optional<CommandError> after);
    void set_owner(const std::string& owner);
    void start_daemon();
    void request_list();

    EventLoop& loop_;
    sdbus::IConnection& connection_;
    BusKind bus_;
    ContainerFilter list_filter_;
    WatchFeed& feed_;
    std::exception_ptr failure_;
    std::string owner_;
    std::unique_ptr<sdbus::IProxy> driver_;
    bus::Match owner_match_;
    std::unique_ptr<Signals> signals_;
    std::unique_ptr<sdbus::IProxy> lister_;  // of the present owner; with it goes a call that is under way
};

}  // namespace shorewatch::ctl
