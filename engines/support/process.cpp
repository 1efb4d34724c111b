#include "engines/support/process.h"

#include <array>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <ctime>
#include <string_view>

#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace shorewatch {

namespace {

// The fields of /proc/PID/stat from the third on, the state; empty when there is no such process.
std::string state_and_more(std::uint32_t pid) {
    const std::string path = "/proc/" + std::to_string(pid) + "/stat";
    const UniqueFd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    if (!file) return {};
    std::array<char, 1024> buffer{};
    const ssize_t size = ::read(file.get(), buffer.data(), buffer.size());
    if (size <= 0) return {};
    const std::string_view text(buffer.data(), static_cast<std::size_t>(size));
    // The second field is the command's name in parentheses, whatever that holds.
    const std::size_t end = text.rfind(')');
    if (end == std::string_view::npos || end + 2 >= text.size()) return {};
    return std::string(text.substr(end + 2));
}

std::chrono::nanoseconds now_of(clockid_t clock) {
    timespec now{};
    clock_gettime(clock, &now);
    return std::chrono::seconds(now.tv_sec) + std::chrono::nanoseconds(now.tv_nsec);
}

}  // namespace

std::optional<Process> process_with(std::uint32_t pid) {
    const std::string fields = state_and_more(pid);
    if (fields.empty() || fields.front() == 'Z' || fields.front() == 'X') return std::nullopt;
    std::size_t at = 0;
    for (int field = 3; field < 22; ++field) {
        at = fields.find(' ', at);
        if (at++ == std::string::npos) return std::nullopt;
    }
    Process process{pid, 0};
    const char* end = fields.data() + fields.size();
    const auto [stopped, error] = std::from_chars(fields.data() + at, end, process.began);
    if (error != std::errc{} || process.began == 0) return std::nullopt;
    return process;
}

RealTime began_at(const Process& process) {
    static const auto per_second = static_cast<std::uint64_t>(sysconf(_SC_CLK_TCK));
    const auto boot = now_of(CLOCK_REALTIME) - now_of(CLOCK_BOOTTIME);
    const auto whole = std::chrono::seconds(process.began / per_second);
    const auto rest = std::chrono::nanoseconds(process.began % per_second * 1'000'000'000 / per_second);
    return RealTime{boot + whole + rest};
}

UniqueFd open_in_root(const Process& process, const std::string& path, int flags) {
    const std::string root_path = "/proc/" + std::to_string(process.pid) + "/root";
    const UniqueFd root(::open(root_path.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
    if (!root) return {};
    // It was the process's own if that is still there now.
    if (process_with(process.pid) != process) {
        errno = ESRCH;
        return {};
    }
    open_how how{};
    how.flags = static_cast<std::uint64_t>(O_PATH | O_CLOEXEC | flags);
    how.resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS;
    return UniqueFd(static_cast<int>(syscall(SYS_openat2, root.get(), path.c_str(), &how, sizeof how)));
}

std::string name_of(const UniqueFd& fd) {
    return "/proc/self/fd/" + std::to_string(fd.get());
}

}  // namespace shorewatch
