#include "daemon/processes/pidfd.h"

#include <cerrno>
#include <charconv>
#include <fstream>
#include <string>
#include <string_view>

#include <fcntl.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

namespace shorewatch {

namespace {

// struct pidfd_info of <linux/pidfd.h>, which is newer than the headers that we build with.
struct PidfdInfo {
    std::uint64_t mask;
    std::uint64_t cgroupid;
    std::uint32_t pid, tgid, ppid;
    std::uint32_t ruid, rgid, euid, egid, suid, sgid, fsuid, fsgid;
    std::int32_t exit_code;  // as wait(2) has it
};
static_assert(sizeof(PidfdInfo) == 64, "the size is part of the request's number");
constexpr unsigned long get_info = _IOWR(0xFF, 11, PidfdInfo);
constexpr std::uint64_t info_exit = 1U << 3;

}  // namespace

UniqueFd open_pidfd(std::uint32_t pid) {
    // Not pidfd_open(): glibc 2.36 declares it as a function of C++.
    return UniqueFd(static_cast<int>(::syscall(SYS_pidfd_open, static_cast<pid_t>(pid), 0)));
}

UniqueFd copy_of(const UniqueFd& pidfd) {
    return UniqueFd(::fcntl(pidfd.get(), F_DUPFD_CLOEXEC, 0));
}

bool has_ended(const UniqueFd& pidfd) {
    pollfd process{pidfd.get(), POLLIN, 0};
    return ::poll(&process, 1, 0) != 0;
}

std::optional<std::uint32_t> pid_of(const UniqueFd& pidfd) {
    constexpr std::string_view key = "Pid:";
    std::ifstream file("/proc/self/fdinfo/" + std::to_string(pidfd.get()));
    std::string line;
    while (std::getline(file, line)) {
        if (!line.starts_with(key)) continue;
        const std::size_t at = line.find_first_not_of(" \t", key.size());
        int pid = 0;
        if (at == std::string::npos) return std::nullopt;
        const auto [stopped, error] = std::from_chars(line.data() + at, line.data() + line.size(), pid);
        if (error != std::errc{}) return std::nullopt;
        return pid > 0 ? static_cast<std::uint32_t>(pid) : 0;
    }
    return std::nullopt;
}

int shell_code(int wait_status) {
    return WIFSIGNALED(wait_status) ? 128 + WTERMSIG(wait_status) : WEXITSTATUS(wait_status);
}

KernelWord exit_of(const UniqueFd& pidfd) {
    PidfdInfo info{};
    info.mask = info_exit;
    int failed = ::ioctl(pidfd.get(), get_info, &info);
    // It was being waited for within the call: what it leaves behind is there now.
    if (failed != 0 && errno == ESRCH) failed = ::ioctl(pidfd.get(), get_info, &info);
    if (failed != 0) return {KernelWord::State::never, {}};
    if ((info.mask & info_exit) == 0) return {KernelWord::State::not_yet, {}};
    return {KernelWord::State::told, shell_code(info.exit_code)};
}

}  // namespace shorewatch
