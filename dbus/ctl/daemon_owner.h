// Who owns the daemon's name, as the bus itself tells it.
//
// Signals count only if the owner of that name sent them: on the system bus anyone may send a signal to one
// connection, and libsystemd's own match by a well-known name lets it pass.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "dbus/compat/sdbus_client.h"

namespace shorewatch::ctl {

inline constexpr const char* bus_driver_name = "org.freedesktop.DBus";

// The bus itself, to be called.
[[nodiscard]] std::unique_ptr<sdbus::IProxy> bus_driver(sdbus::IConnection& connection);

// Calls on_owner whenever the name gets another owner: with its unique name, or with "" for none. It throws
// nothing. Throws sdbus::Error.
[[nodiscard]] bus::Match match_owner(sdbus::IConnection& connection,
                                     std::function<void(const std::string& owner)> on_owner);

class DaemonOwner {
  public:
    // on_return, which throws nothing: another daemon has taken over. Throws sdbus::Error, also when there is
    // no daemon.
    DaemonOwner(sdbus::IConnection& connection, std::function<void()> on_return);
    ~DaemonOwner() = default;
    DaemonOwner(const DaemonOwner&) = delete;
    DaemonOwner& operator=(const DaemonOwner&) = delete;

    [[nodiscard]] bool sent(const sdbus::Message& message) const;

  private:
    std::function<void()> on_return_;
    std::string name_;  // empty: there is no daemon
    bus::Match match_;
};

}  // namespace shorewatch::ctl
