#include "dbus/ctl/bus_call.h"

#include <cerrno>
#include <system_error>

#include <fcntl.h>

namespace shorewatch::ctl {

namespace {

// How long a call may take in which somebody is asked to authenticate: longer than the daemon waits for that.
constexpr std::chrono::minutes authentication_limit{6};

}  // namespace

bus::CallOptions call_options(const BusChoice& bus, std::chrono::seconds more) {
    std::chrono::seconds limit = more;
    if (bus.interactive) limit += authentication_limit;
    return {bus.interactive, limit};
}

UniqueFd own(const sdbus::UnixFd& fd) {
    UniqueFd copy(::fcntl(fd.get(), F_DUPFD_CLOEXEC, 3));
    if (!copy) throw std::system_error(errno, std::generic_category(), "keep a file descriptor");
    return copy;
}

}  // namespace shorewatch::ctl
