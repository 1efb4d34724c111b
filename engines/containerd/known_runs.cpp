#include "engines/containerd/known_runs.h"

#include <chrono>
#include <ctime>

#include <unistd.h>

namespace shorewatch::containerd {

namespace {

std::chrono::nanoseconds now_of(clockid_t clock) {
    timespec now{};
    clock_gettime(clock, &now);
    return std::chrono::seconds(now.tv_sec) + std::chrono::nanoseconds(now.tv_nsec);
}

std::optional<RealTime> beginning_of(const std::optional<Process>& process) {
    const auto per_second = static_cast<std::uint64_t>(sysconf(_SC_CLK_TCK));
    if (!process || per_second == 0) return std::nullopt;
    const auto boot = now_of(CLOCK_REALTIME) - now_of(CLOCK_BOOTTIME);
    const auto whole = std::chrono::seconds(process->began / per_second);
    const auto rest = std::chrono::nanoseconds(process->began % per_second * 1'000'000'000 / per_second);
    return RealTime{boot + whole + rest};
}

}  // namespace

std::optional<RealTime> KnownRuns::see(const std::string& id, std::uint32_t pid,
                                       std::optional<RealTime> stamp, const PidNamespace& pids) {
    const std::optional<Process> process = process_with(pids.to_ours(pid));
    Run& run = runs_[id];
    const bool same_process = run.process == process || !run.process || !process;
    if (run.pid == pid && same_process) {
        if (!run.process) run.process = process;
        return run.started;
    }
    run = {pid, process, stamp ? stamp : beginning_of(process)};
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
    return run.process && process_with(run.process->pid) == run.process;
}

}  // namespace shorewatch::containerd
