// How calls to the daemon are made: for how long, and what becomes of their errors.
#pragma once

#include <chrono>
#include <string>

#include "dbus/compat/sdbus_client.h"
#include "dbus/ctl/bus_client.h"
#include "dbus/ctl/exit_code.h"
#include "engines/support/unique_fd.h"

namespace shorewatch::ctl {

// more: how long the call may take beside what a person takes to authenticate; 0: the library's own 25 s.
[[nodiscard]] bus::CallOptions call_options(const BusChoice& bus, std::chrono::seconds more = {});

// A descriptor out of a message: for as long as we want it, and not for the programs that we run. Throws
// std::system_error.
[[nodiscard]] UniqueFd own(const sdbus::UnixFd& fd);

// Runs call; a D-Bus error becomes "cannot {doing}: …".
template <typename Call>
auto asked(const std::string& doing, const BusChoice& bus, const Call& call, Right right = Right::read) {
    try {
        return call();
    } catch (const sdbus::Error& error) {
        throw command_error(doing, error.getName(), error.getMessage(), bus.kind, right);
    }
}

}  // namespace shorewatch::ctl
