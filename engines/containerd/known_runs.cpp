#include "engines/containerd/known_runs.h"

namespace shorewatch::containerd {

std::optional<RealTime> KnownRuns::see(const std::string& id, std::uint32_t pid,
                                       std::optional<RealTime> stamp, const PidNamespace& pids) {
    const std::optional<Process> process = process_with(pids.to_ours(pid));
    // Of no use, and nobody might tell of its end: an inspection can be answered after that.
    if (!process && !stamp && !runs_.contains(id)) return std::nullopt;
    Run& run = runs_[id];
    const bool same_process = run.process == process || !run.process || !process;
    if (run.pid == pid && same_process) {
        if (!run.process) run.process = process;
        return run.started;
    }
    if (!stamp && process) stamp = began_at(*process);
    run = {pid, process, stamp};
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
