// A process for tests to look at.
#pragma once

#include <array>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <functional>
#include <utility>

#include <sched.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

#include "engines/support/unique_fd.h"
#include "tests/unit/catch.h"

namespace shorewatch {

// Waits until it is ended. Has mounts of its own, as containers have, where we may give it some.
class ChildProcess {
  public:
    // prepare runs in it first, and calls nothing that a fork of a process with threads may not.
    explicit ChildProcess(const std::function<void()>& prepare = [] {}) {
        std::array<int, 2> ends{};
        REQUIRE(::pipe(ends.data()) == 0);
        const UniqueFd told(ends[0]);
        UniqueFd tells(ends[1]);
        pid_ = ::fork();
        REQUIRE(pid_ >= 0);
        if (pid_ == 0) {
            static_cast<void>(::unshare(CLONE_NEWNS));
            prepare();
            if (::write(tells.get(), "!", 1) != 1) ::_exit(1);
            while (true)
                ::pause();
        }
        tells.reset();
        char done = 0;
        REQUIRE(::read(told.get(), &done, 1) == 1);
    }
    ~ChildProcess() { end(); }
    ChildProcess(const ChildProcess&) = delete;
    ChildProcess& operator=(const ChildProcess&) = delete;

    [[nodiscard]] std::uint32_t pid() const { return static_cast<std::uint32_t>(pid_); }
    // Dead, and not yet waited for.
    void kill(int signal = SIGKILL) {
        ::kill(pid_, signal);
        siginfo_t information{};
        ::waitid(P_PID, static_cast<id_t>(pid_), &information, WEXITED | WNOWAIT);
    }
    void end() {
        if (pid_ <= 0) return;
        ::kill(pid_, SIGKILL);
        ::waitpid(pid_, nullptr, 0);
        pid_ = 0;
    }

  private:
    pid_t pid_ = 0;
};

// To prepare a child with: it ends with this exit code when it gets SIGTERM.
template <int exit_code>
void exit_when_told() {
    ::signal(SIGTERM, [](int) { ::_exit(exit_code); });
}

// Does the kernel tell how a process has ended that somebody else has waited for? (Linux 6.15)
inline bool kernel_tells_exit_codes() {
    utsname names{};
    int major = 0;
    int minor = 0;
    REQUIRE(::uname(&names) == 0);
    REQUIRE(std::sscanf(names.release, "%d.%d", &major, &minor) == 2);
    return std::pair(major, minor) >= std::pair(6, 15);
}

}  // namespace shorewatch
