#include "daemon/ended_runs.h"

#include <algorithm>

namespace shorewatch {

bool EndedRun::may_still_be_told_to_start(RealTime time) const {
    const bool began_later = start_told || (heard && time > *heard);
    return awaits_exit && !may_be_lost && !began_later;
}

void EndedRuns::remember(const Container& container, std::optional<RealTime> start_stamp,
                         const ExitReport& report) {
    const auto [entry, added] = runs_.try_emplace(container.id);
    EndedRun& run = entry->second;
    for (const auto& time : {container.started, start_stamp, latest_end(report)}) {
        if (time) run.bound = std::max(run.bound, *time);
    }
    run.pid = container.pid;
    run.exit_pid = report.pid;
    run.started = container.started;
    run.is_certain = report.cause != Cause::resync || report.told_by_event || report.exit_code || report.time;
    run.heard = report.cause == Cause::kernel ? report.time : std::nullopt;
    run.start_told = start_stamp.has_value();
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
    if (found == runs_.end() || !container.started || *container.started > found->second.bound) return false;
    const EndedRun& run = found->second;
    // An engine that was killed within a start may have the stamp of the run before for it.
    const bool is_another = run.pid != 0 && container.pid != 0 && container.pid != run.pid;
    return !is_another || container.started < run.started;
}

bool EndedRuns::is_certainly_over(const Container& container) const {
    const auto found = runs_.find(container.id);
    return found != runs_.end() && found->second.is_certain && is_over(container);
}

void EndedRuns::on_stream_lost() {
    for (auto& [id, run] : runs_)
        run.may_be_lost = true;
}

}  // namespace shorewatch
