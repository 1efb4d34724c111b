// What one source knows of the end of a run, and how the words of several are put together.
#pragma once

#include <optional>

#include "daemon/change.h"
#include "engines/engine_client.h"

namespace shorewatch {

struct ExitReport {
    Cause cause = Cause::event;
    std::optional<RealTime> time;
    std::optional<int> exit_code;
    std::optional<bool> oom_killed;
    bool told_by_event = false;          // the engine's own exit event was among the sources
    std::optional<RealTime> stamp = {};  // of that event
    std::uint32_t pid = 0;               // in that event: of the initial process, as the engine counts
};

// That it is over, and nothing more.
[[nodiscard]] ExitReport end_by(Cause cause);
[[nodiscard]] ExitReport report_of(const Inspection& found, Cause cause);
// container is the one that ended: its engine's events may not be good for the exit code.
[[nodiscard]] ExitReport report_of(const ContainerEvent& event, const Container& container);
// report, where a later run has begun: the exit event has come by now, or never will.
[[nodiscard]] ExitReport not_to_be_told(ExitReport report);
// The latest moment at which the engine has it end.
[[nodiscard]] std::optional<RealTime> latest_end(const ExitReport& report);
// first, completed by what only second knows.
[[nodiscard]] ExitReport merged(ExitReport first, const ExitReport& second);

}  // namespace shorewatch
