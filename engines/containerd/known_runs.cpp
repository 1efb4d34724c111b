#include "engines/containerd/known_runs.h"

#include <array>
#include <charconv>
#include <chrono>
#include <ctime>
#include <string_view>

#include <fcntl.h>
#include <unistd.h>

#include "engines/support/unique_fd.h"

namespace shorewatch::containerd {

namespace {

std::chrono::nanoseconds now_of(clockid_t clock) {
    timespec now{};
    clock_gettime(clock, &now);
    return std::chrono::seconds(now.tv_sec) + std::chrono::nanoseconds(now.tv_nsec);
}

std::optional<RealTime> time_of(std::uint64_t ticks) {
    const auto per_second = static_cast<std::uint64_t>(sysconf(_SC_CLK_TCK));
    if (ticks == 0 || per_second == 0) return std::nullopt;
    const auto boot = now_of(CLOCK_REALTIME) - now_of(CLOCK_BOOTTIME);
    const auto whole = std::chrono::seconds(ticks / per_second);
    const auto rest = std::chrono::nanoseconds(ticks % per_second * 1'000'000'000 / per_second);
    return RealTime{boot + whole + rest};
}

}  // namespace

std::uint64_t start_ticks_of(std::uint32_t pid) {
    const std::string path = "/proc/" + std::to_string(pid) + "/stat";
    const UniqueFd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    if (!file) return 0;
    std::array<char, 1024> buffer{};
    const ssize_t size = ::read(file.get(), buffer.data(), buffer.size());
    if (size <= 0) return 0;
    std::string_view text(buffer.data(), static_cast<std::size_t>(size));
    // The second field is the command's name in parentheses, whatever that holds.
    const std::size_t end = text.rfind(')');
    if (end == std::string_view::npos || end + 2 >= text.size()) return 0;
    text.remove_prefix(end + 2);
    if (text.front() == 'Z' || text.front() == 'X') return 0;  // dead, and not yet waited for
    for (int field = 3; field < 22; ++field) {
        const std::size_t space = text.find(' ');
        if (space == std::string_view::npos) return 0;
        text.remove_prefix(space + 1);
    }
    std::uint64_t ticks = 0;
    const auto [stopped, error] = std::from_chars(text.data(), text.data() + text.size(), ticks);
    return error == std::errc{} ? ticks : 0;
}

std::optional<RealTime> KnownRuns::see(const std::string& id, std::uint32_t pid,
                                       std::optional<RealTime> stamp) {
    const std::uint64_t ticks = start_ticks_of(pid);
    Run& run = runs_[id];
    const bool same_ticks = run.ticks == ticks || run.ticks == 0 || ticks == 0;
    if (run.pid == pid && same_ticks) {
        if (run.ticks == 0) run.ticks = ticks;
        return run.started;
    }
    run = {pid, ticks, stamp ? stamp : time_of(ticks)};
    return run.started;
}

std::optional<RealTime> KnownRuns::started(const std::string& id, std::uint32_t pid) const {
    const auto found = runs_.find(id);
    return found != runs_.end() && found->second.pid == pid ? found->second.started : std::nullopt;
}

void KnownRuns::forget(const std::string& id, std::uint32_t pid) {
    const auto found = runs_.find(id);
    if (found != runs_.end() && found->second.pid == pid) runs_.erase(found);
}

void KnownRuns::forget_dead() {
    std::erase_if(runs_, [](const auto& entry) { return !lives(entry.second); });
}

bool KnownRuns::lives(const std::string& id) const {
    const auto found = runs_.find(id);
    return found != runs_.end() && lives(found->second);
}

bool KnownRuns::lives(const Run& run) {
    const std::uint64_t ticks = start_ticks_of(run.pid);
    return ticks != 0 && ticks == run.ticks;
}

}  // namespace shorewatch::containerd
