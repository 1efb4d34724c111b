#include "engines/support/process.h"

#include <array>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <ctime>

#include <fcntl.h>
#include <unistd.h>

#include "engines/support/root_walk.h"

namespace shorewatch {

namespace {

// The one with this number; fields begin with the state, which is the third.
template <typename Number>
std::optional<Number> field_of(std::string_view fields, int number) {
    std::size_t at = 0;
    for (int field = 3; field < number; ++field) {
        at = fields.find(' ', at);
        if (at++ == std::string_view::npos) return std::nullopt;
    }
    Number value{};
    const auto [stopped, error] = std::from_chars(fields.data() + at, fields.data() + fields.size(), value);
    return error == std::errc{} ? std::optional(value) : std::nullopt;
}

std::chrono::nanoseconds now_of(clockid_t clock) {
    timespec now{};
    (void)clock_gettime(clock, &now);
    return std::chrono::seconds(now.tv_sec) + std::chrono::nanoseconds(now.tv_nsec);
}

}  // namespace

std::string proc_text(std::uint32_t pid, const char* name) {
    const std::string path = "/proc/" + std::to_string(pid) + "/" + name;
    const UniqueFd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    std::string text;
    std::array<char, 4096> buffer{};
    ssize_t size = 0;
    while (file && (size = ::read(file.get(), buffer.data(), buffer.size())) > 0) {
        text.append(buffer.data(), static_cast<std::size_t>(size));
        // These files are one record (seq_file, single_open()): the rest would not have been held back.
        if (static_cast<std::size_t>(size) < buffer.size()) break;
    }
    // What was read of a process that has ended meanwhile is not all.
    return size < 0 ? std::string() : text;
}

std::optional<ProcessStat> parse_stat(std::string_view text) {
    // The second field is the command's name in parentheses, whatever that holds.
    const std::size_t end = text.rfind(')');
    if (end == std::string_view::npos || end + 2 >= text.size()) return std::nullopt;
    const std::string_view fields = text.substr(end + 2);
    const auto began = field_of<std::uint64_t>(fields, 22);
    if (!began || *began == 0) return std::nullopt;
    return ProcessStat{fields.front(), *began, field_of<int>(fields, 52)};
}

std::optional<Process> process_with(std::uint32_t pid) {
    const auto stat = parse_stat(proc_text(pid, "stat"));
    if (!stat || stat->state == 'Z' || stat->state == 'X') return std::nullopt;
    return Process{pid, stat->began};
}

std::optional<int> wait_status_of(const Process& process) {
    const auto stat = parse_stat(proc_text(process.pid, "stat"));
    if (!stat || stat->state != 'Z' || stat->began != process.began) return std::nullopt;
    return stat->wait_status;
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
    UniqueFd root(::open(root_path.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
    if (!root) return {};
    // It was the process's own if that is still there now.
    if (process_with(process.pid) != process) {
        errno = ESRCH;
        return {};
    }
    return open_below(std::move(root), path, flags);
}

std::string name_of(const UniqueFd& fd) {
    return "/proc/self/fd/" + std::to_string(fd.get());
}

}  // namespace shorewatch
