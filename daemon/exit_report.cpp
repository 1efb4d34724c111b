#include "daemon/exit_report.h"

#include <algorithm>

namespace shorewatch {

ExitReport end_by(Cause cause) {
    ExitReport report;
    report.cause = cause;
    return report;
}

ExitReport report_of(const Inspection& found, Cause cause) {
    return {cause, found.finished, found.exit_code, found.oom_killed, false, {}};
}

ExitReport report_of(const ContainerEvent& event, const Container& container) {
    const bool tells_code = container.exit_events_tell_code;
    return {Cause::event,        event.time, tells_code ? event.exit_code : std::nullopt,
            std::nullopt,        true,       event.time,
            event.container->pid};
}

ExitReport not_to_be_told(ExitReport report) {
    report.told_by_event = true;
    return report;
}

std::optional<RealTime> latest_end(const ExitReport& report) {
    // The kernel's word is timed by when we hear it, which may be after the next run has begun.
    return report.cause == Cause::kernel ? report.stamp : std::max(report.time, report.stamp);
}

ExitReport merged(ExitReport first, const ExitReport& second) {
    if (!first.time) first.time = second.time;
    if (!first.exit_code) first.exit_code = second.exit_code;
    if (!first.oom_killed) first.oom_killed = second.oom_killed;
    first.told_by_event = first.told_by_event || second.told_by_event;
    first.stamp = std::max(first.stamp, second.stamp);
    if (first.pid == 0) first.pid = second.pid;
    return first;
}

}  // namespace shorewatch
