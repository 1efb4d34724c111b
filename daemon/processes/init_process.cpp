#include "daemon/processes/init_process.h"

#include <cerrno>

#include "daemon/processes/pidfd.h"

namespace shorewatch {

namespace {

const std::string nothing;

}  // namespace

bool InitProcess::has_ended() const {
    return pidfd_ ? shorewatch::has_ended(pidfd_) : process_with(pid()) != facts_.process;
}

UniqueFd InitProcess::open() const {
    UniqueFd copy = pidfd_ ? copy_of(pidfd_) : open_pidfd(pid());
    // What was opened by number is the right one if that has not ended by now.
    if (copy && has_ended()) {
        errno = ESRCH;
        return {};
    }
    return copy;
}

const std::string& cgroup_path_of(const InitProcessPtr& process) {
    return process && process->facts().cgroup ? process->facts().cgroup->path : nothing;
}

const std::string& unit_of(const InitProcessPtr& process) {
    return process ? process->facts().unit : nothing;
}

}  // namespace shorewatch
