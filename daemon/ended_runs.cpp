#include "daemon/ended_runs.h"

#include <algorithm>

namespace shorewatch {

void EndedRuns::remember(const Container& container, std::optional<RealTime> start_stamp,
                         const ExitReport& report) {
    const auto [entry, added] = runs_.try_emplace(container.id);
    EndedRun& run = entry->second;
    for (const auto& time : {container.started, start_stamp, latest_end(report)}) {
        if (time) run.bound = std::max(run.bound, *time);
    }
    run.awaits_exit = !report.told_by_event;
    run.may_be_lost = report.cause == Cause::resync;
    if (added) order_.push_back(container.id);
    if (order_.size() <= most) return;
    runs_.erase(order_.front());
    order_.pop_front();
}

EndedRun* EndedRuns::find(const std::string& id) {
    const auto found = runs_.find(id);
    return found != runs_.end() ? &found->second : nullptr;
}

bool EndedRuns::is_over(const Container& container) const {
    const auto found = runs_.find(container.id);
    return found != runs_.end() && container.started && *container.started <= found->second.bound;
}

void EndedRuns::on_stream_lost() {
    for (auto& [id, run] : runs_)
        run.may_be_lost = true;
}

}  // namespace shorewatch
