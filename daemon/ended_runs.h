// The memory of runs that were published to their end: events, lists and inspections that are older than
// that, and come later, must not bring a run back.
#pragma once

#include <deque>
#include <optional>
#include <string>
#include <unordered_map>

#include "daemon/exit_report.h"
#include "engines/container.h"

namespace shorewatch {

// The last run of a container that was published to its end.
struct EndedRun {
    RealTime bound;              // a later run starts after this; engine's stamps
    std::uint32_t pid = 0;       // 0: it was never seen alive
    std::uint32_t exit_pid = 0;  // in its exit event, as the engine counts
    std::optional<RealTime> started;
    bool is_certain = false;        // not only a list has left it out
    std::optional<RealTime> heard;  // when the kernel told of its end, by our clock
    bool start_told = false;        // by an event, at bound or before
    bool awaits_exit = false;       // its exit event has not come yet …
    bool may_be_lost = false;       // … and may have been lost with a stream

    // Is an exit event with this pid in it told of this run? False where one of the two is not known.
    [[nodiscard]] bool ended_as(std::uint32_t told) const {
        return told != 0 && told == (exit_pid != 0 ? exit_pid : pid);
    }
    // May an event of a start at this time, which is after bound, be of this run all the same?
    [[nodiscard]] bool may_still_be_told_to_start(RealTime time) const;
};

class EndedRuns {
  public:
    // How many containers are remembered, the oldest being forgotten first. Engines keep and replay 256
    // events (Docker).
    static constexpr std::size_t most = 1024;

    // start_stamp: of the event that told of the run's start, if one did.
    void remember(const Container& container, std::optional<RealTime> start_stamp, const ExitReport& report);
    // Null when nothing is remembered; good until the next remember().
    [[nodiscard]] EndedRun* find(const std::string& id);
    // Was the run that this is of published to its end?
    [[nodiscard]] bool is_over(const Container& container) const;
    // The same, whatever the engine says of it now: not only a list had left it out. False where the
    // container comes without its start.
    [[nodiscard]] bool is_certainly_over(const Container& container) const;
    // A stream is gone: what it had not delivered may never be told.
    void on_stream_lost();

  private:
    std::unordered_map<std::string, EndedRun> runs_;
    std::deque<std::string> order_;
};

}  // namespace shorewatch
