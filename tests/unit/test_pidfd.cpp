// Descriptors of processes, and what the kernel tells by them of how a process has ended.
#include <cerrno>
#include <csignal>
#include <future>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon/processes/pidfd.h"
#include "tests/fakes/leak_check.h"
#include "tests/unit/catch.h"
#include "tests/unit/child_process.h"

using namespace shorewatch;

namespace {

constexpr std::uint32_t nobody = 0x7FFFFFFF;

}  // namespace

TEST_CASE("a pidfd is of its process, living, dead and gone") {
    ChildProcess child;
    const std::uint32_t pid = child.pid();
    const UniqueFd pidfd = open_pidfd(pid);
    REQUIRE(pidfd);
    CHECK_FALSE(has_ended(pidfd));
    CHECK(pid_of(pidfd) == pid);
    child.kill();
    CHECK(has_ended(pidfd));
    CHECK(pid_of(pidfd) == pid);  // nobody else can have it yet
    CHECK(open_pidfd(pid));
    child.end();
    CHECK(has_ended(pidfd));
    CHECK(pid_of(pidfd) == 0U);
    CHECK_FALSE(open_pidfd(nobody));
    CHECK(errno == ESRCH);
}

TEST_CASE("a copy of a pidfd is of the same process, and outlives the other") {
    const fakes::LeakCheck leaks;
    ChildProcess child;
    UniqueFd pidfd = open_pidfd(child.pid());
    const UniqueFd copy = copy_of(pidfd);
    REQUIRE(copy);
    CHECK(copy.get() != pidfd.get());
    CHECK((::fcntl(copy.get(), F_GETFD) & FD_CLOEXEC) != 0);
    pidfd.reset();
    CHECK(pid_of(copy) == child.pid());
    child.end();
    CHECK(has_ended(copy));
    CHECK_FALSE(copy_of(UniqueFd()));
    CHECK(errno == EBADF);
}

TEST_CASE("what is no pidfd is told from one") {
    CHECK_FALSE(pid_of(UniqueFd(::open("/", O_PATH | O_CLOEXEC))));
    CHECK_FALSE(pid_of(UniqueFd(::open("/proc/self/status", O_RDONLY | O_CLOEXEC))));
    CHECK_FALSE(pid_of(UniqueFd()));
}

TEST_CASE("how a process has ended is told once its parent has waited for it, by kernels that keep it") {
    const auto [signal, code] = GENERATE(table<int, int>({{SIGTERM, 7}, {SIGKILL, 137}, {SIGUSR1, 138}}));
    ChildProcess child(exit_when_told<7>);
    const UniqueFd pidfd = open_pidfd(child.pid());
    child.kill(signal);
    CHECK(exit_of(pidfd).state != KernelWord::State::told);
    if (kernel_tells_exit_codes()) CHECK(exit_of(pidfd).state == KernelWord::State::not_yet);
    child.end();
    const KernelWord word = exit_of(pidfd);
    if (kernel_tells_exit_codes()) {
        CHECK(word.state == KernelWord::State::told);
        CHECK(word.exit_code == code);
    } else {
        CHECK(word.state == KernelWord::State::never);
        CHECK_FALSE(word.exit_code);
    }
}

TEST_CASE("how a process has ended is told whenever it is asked, while its parent is waiting for it too") {
    if (!kernel_tells_exit_codes()) return;
    for (int round = 0; round < 500; ++round) {
        ChildProcess child(exit_when_told<7>);
        const UniqueFd pidfd = open_pidfd(child.pid());
        child.kill(SIGTERM);
        auto asked = std::async(std::launch::async, [&pidfd] {
            KernelWord word;
            do {
                word = exit_of(pidfd);
            } while (word.state == KernelWord::State::not_yet);
            return word;
        });
        child.end();
        const KernelWord word = asked.get();
        REQUIRE(word.state == KernelWord::State::told);
        REQUIRE(word.exit_code == 7);
    }
}

TEST_CASE("a descriptor that is no pidfd tells of no exit") {
    CHECK(exit_of(UniqueFd(::open("/", O_PATH | O_CLOEXEC))).state == KernelWord::State::never);
    CHECK(exit_of(UniqueFd()).state == KernelWord::State::never);
}
