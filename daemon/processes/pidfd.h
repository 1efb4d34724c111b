// pidfds: descriptors of processes. What a pidfd says is of that process alone, whoever has its number by
// now.
#pragma once

#include <cstdint>
#include <optional>

#include "engines/support/unique_fd.h"

namespace shorewatch {

// Of the process with this pid, dead ones that are not yet waited for included. No descriptor: errno says
// why, ESRCH being that there is no such process, EINVAL or ENOENT that the number is of a thread
// (pidfd_open(2)).
[[nodiscard]] UniqueFd open_pidfd(std::uint32_t pid);

// Another descriptor of the same process; errno says why there is none.
[[nodiscard]] UniqueFd copy_of(const UniqueFd& pidfd);

// Is the process over, waited for or not?
[[nodiscard]] bool has_ended(const UniqueFd& pidfd);

// Its pid here; 0: it is over and waited for, or isn't to be seen from our pid namespace. None: that is no
// pidfd.
[[nodiscard]] std::optional<std::uint32_t> pid_of(const UniqueFd& pidfd);

// What the kernel tells of how a process ended.
struct KernelWord {
    enum class State {
        not_yet,  // not before its parent has waited for it, which EPOLLHUP tells of
        told,
        never,  // it has gone, or this kernel is older than Linux 6.15 and keeps no exit codes
    };

    State state = State::never;
    std::optional<int> exit_code;  // told: 128+n for a signal n
};

// Of a process that has ended (PIDFD_GET_INFO with PIDFD_INFO_EXIT).
[[nodiscard]] KernelWord exit_of(const UniqueFd& pidfd);

// What wait(2) has, as a shell shows it: 128+n for a signal n.
[[nodiscard]] int shell_code(int wait_status);

}  // namespace shorewatch
