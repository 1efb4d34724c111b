#include "dbus/service/signal_details.h"

#include <cstdint>
#include <optional>

namespace shorewatch::bus {

namespace {

void add_time(Details& details, std::optional<RealTime> time) {
    if (const std::uint64_t usec = to_usec(time); usec != 0)
        details.emplace("Timestamp", sdbus::Variant(usec));
}

void add_labels(Details& details, const Container& container) {
    const Labels& labels = *container.labels;
    // Of a run that was over too soon, the engine's events may have told no labels: that there are none is
    // not known.
    if (container.pid != 0 || !labels.entries().empty()) {
        const std::map<std::string, std::string> map(labels.entries().begin(), labels.entries().end());
        details.emplace("Labels", sdbus::Variant(map));
    }
    if (labels.truncated()) details.emplace("LabelsTruncated", sdbus::Variant(true));
}

Details time_and_cause(std::optional<RealTime> time, Cause cause) {
    Details details;
    add_time(details, time);
    details.emplace("Cause", sdbus::Variant(std::string(to_string(cause))));
    return details;
}

}  // namespace

Details details_of(const ContainerStarted& change) {
    const Container& container = *change.container;
    Details details = time_and_cause(change.time, change.cause);
    if (container.pid != 0) details.emplace("PID", sdbus::Variant(container.pid));
    if (!container.image.empty()) details.emplace("Image", sdbus::Variant(container.image));
    add_labels(details, container);
    return details;
}

Details details_of(const ContainerExited& change) {
    Details details = time_and_cause(change.time, change.cause);
    if (change.exit_code) details.emplace("ExitCode", sdbus::Variant(std::int32_t{*change.exit_code}));
    if (change.oom_killed) details.emplace("OOMKilled", sdbus::Variant(*change.oom_killed));
    add_labels(details, *change.container);
    return details;
}

Details details_of(const ContainerPaused& change) {
    return time_and_cause(change.time, change.cause);
}

Details details_of(const ContainerUnpaused& change) {
    return time_and_cause(change.time, change.cause);
}

Details details_of(const ContainerRenamed& change) {
    Details details = time_and_cause(change.time, change.cause);
    details.emplace("OldName", sdbus::Variant(change.old_name));
    return details;
}

Details details_of(const EngineStatus& before, const EngineStatus& now) {
    Details details;
    add_time(details, now.since);
    details.emplace("OldState", sdbus::Variant(std::string(to_string(before.state))));
    if (!now.last_error.empty()) details.emplace("LastError", sdbus::Variant(now.last_error));
    return details;
}

}  // namespace shorewatch::bus
