// The run tracker: from what an engine tells to runs that each start once and end once (the watch rules).
//
// Events are told in order but may be doubled, replayed after a gap, lost with a stream, or be older than
// what a list or an inspection has shown already. The tracker takes an event at its word where it fits what
// is known, and has the container inspected where it does not: an inspection is the truth of a moment after
// it was asked for. Since the stream is open before anything is listed or inspected, every change after that
// moment is told by the stream.
//
// A pure state machine: no clock, no loop, no engine in it. Whoever drives it passes the time in, performs
// the inspections it asks for and publishes what it says. The portfolio holds exactly what has been published
// as alive.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "daemon/change.h"
#include "daemon/ended_runs.h"
#include "daemon/exit_report.h"
#include "daemon/portfolio.h"
#include "engines/engine_client.h"
#include "engines/support/event_loop.h"

namespace shorewatch {

class RunTracker {
  public:
    class Output {
      public:
        // Have this container inspected and the answer given to on_inspected(), not from within this call.
        virtual void inspect(const std::string& id) = 0;
        virtual void publish(Change change) = 0;
        // Is the initial process of the run that is published for it seen to live? False: it is over, or
        // nobody looks at it.
        [[nodiscard]] virtual bool lives(const std::string& id) = 0;

      protected:
        ~Output() = default;
    };

    using TimePoint = Clock::time_point;

    // How long the end of a run is held back for a source that knows its exit code, and a start whose run is
    // over for the event that says how.
    static constexpr Clock::duration hold = std::chrono::seconds(1);
    // The same for a run that was over before anything but its id was known: nothing is published that waits.
    static constexpr Clock::duration hold_for_name = std::chrono::seconds(10);

    RunTracker(Portfolio& portfolio, Output& output) : portfolio_(portfolio), output_(output) {}

    // The event stream stands, and the list is being asked for; also of an open stream with a gap in it.
    // told_from: the stream tells what happened since, by the engine's clock. A run that began later and is
    // not told after all is published up to `hold` later.
    void on_list_asked(RealTime told_from);
    void on_event(const ContainerEvent& event, TimePoint now);
    void on_list(const std::vector<ContainerPtr>& alive, TimePoint now);
    void on_inspected(const std::string& id, const Result<Inspection>& answer, TimePoint now);
    // The kernel's word on the initial process of a published run. Anything but that run is ignored.
    void on_process_exit(std::string_view id, std::uint32_t pid, const ExitReport& report, TimePoint now);
    // The stream is gone, and with it the answers to all inspections.
    void on_stream_lost();

    // When on_deadline() wants to be called, or a little before; none: nothing is waited for.
    [[nodiscard]] std::optional<TimePoint> next_deadline() const noexcept { return next_deadline_; }
    void on_deadline(TimePoint now);

    // How many containers of the list have neither been inspected nor failed to be, and have to.
    [[nodiscard]] std::size_t unsettled() const noexcept { return unsettled_; }

  private:
    // A run that has begun and is not published yet.
    struct PendingStart {
        ContainerPtr outline;          // what the event or the list carried
        std::optional<RealTime> time;  // the event's stamp; none: known from a list
        Cause cause = Cause::event;
        bool fresh = true;                // told by an event since the last list was asked for
        bool waited = false;              // known from a list; the event of its start was waited for in vain
        bool over = false;                // an inspection showed so; the event that says how is on its way
        bool suspect = false;             // may be a run whose end was published already, told of late
        std::optional<bool> paused;       // the last word of the events since
        std::optional<std::string> name;  // the same
        std::optional<ExitReport> exit;   // it is over by an event, and an inspection may know more …
        bool asked_before_exit = false;   // … but not the one under way, should it find it alive
    };

    // What is under way for one container. A published container to which nothing happens has none.
    struct Track {
        std::optional<PendingStart> pending;  // only while no run is published
        std::optional<ExitReport> exiting;    // of the published run: held back for the exit code
        ContainerPtr successor;  // a later run than that or the pending one, shown by an inspection
        // Exiting, since an inspection has shown a later run that began then, or no container any more.
        std::optional<RealTime> superseded;
        bool presumed_dead = false;  // exiting for no better reason than that a list left it out
        bool oom = false;            // a process of the run was killed for its memory
        bool asked = false;          // an inspection is under way …
        bool ask_again = false;      // … and was overtaken: its answer is of no use
        bool doubtful = false;       // it decides about the published run: later events wait in held
        bool unsettled = false;      // counted in unsettled_
        std::vector<ContainerEvent> held;
        bool raised_by_start = false;      // the first of them is the start that raised the doubt
        std::optional<ExitReport> denied;  // an end that was told, and does not seem to be this run's
        unsigned failures = 0;             // inspections that failed in a row
        std::optional<TimePoint> deadline;
    };

    void take_started(const ContainerEvent& event, Track& track, TimePoint now);
    [[nodiscard]] bool is_start_of(const ContainerEvent& event, const PendingStart& pending) const;
    [[nodiscard]] static bool is_before(const ContainerEvent& event, const PendingStart& pending);
    void take_exited(const ContainerEvent& event, Track& track, TimePoint now);
    [[nodiscard]] static bool is_told_again(const ContainerEvent& event, const Track& track,
                                            const EndedRun* ended);
    void take_paused(const ContainerEvent& event, Track& track, bool paused);
    void take_renamed(const ContainerEvent& event, Track& track);

    void listed(const ContainerPtr& entry);
    [[nodiscard]] bool will_be_told(const PendingStart& pending, const Container& found) const;
    void missing_from_list(const ContainerPtr& published, TimePoint now);

    [[nodiscard]] static std::optional<RealTime> latest_start(const PendingStart& pending);
    void found_alive(const std::string& id, Track& track, const Inspection& found, TimePoint now);
    void found_another(Track& track, const ContainerPtr& published, const ContainerPtr& container,
                       TimePoint now);
    void found_dead(const std::string& id, Track& track, const Inspection& found, TimePoint now);
    void found_nothing(const std::string& id, Track& track, TimePoint now);
    void inspection_failed(const std::string& id, Track& track, TimePoint now);
    void compare(const ContainerPtr& published, const Container& found);
    [[nodiscard]] static ExitReport known_end(const Track& track, const Container& published, Cause cause);

    // Was the doubt raised by the start of this run, or of one after it?
    [[nodiscard]] static bool raised_by_start_of(const Container& container, const Track& track);
    void ask(const std::string& id, Track& track);
    void doubt(const std::string& id, Track& track);
    void release_held(Track& track, TimePoint now);
    // later: when the run began that has been found in its place, if one was.
    void end_superseded(Track& track, const ContainerPtr& published, std::optional<RealTime> later,
                        Cause cause, TimePoint now);
    void end_run(const ContainerPtr& published, Track& track, const ExitReport& report, TimePoint now);
    // When it began, as far as that is known. An engine that was killed within a start has the stamp of the
    // run before for it. stamp: of the event that told of it, if one did.
    [[nodiscard]] std::optional<RealTime> time_of_start(const Container& container,
                                                        std::optional<RealTime> stamp);
    void publish_started(Track& track, ContainerPtr container, std::optional<RealTime> stamp, Cause cause);
    void publish_exited(Track& track, const ContainerPtr& published, ExitReport report);
    // Both signals of the pending run, which was over before it could be published.
    void publish_short_run(Track& track, ContainerPtr container, ExitReport report);
    // The same, unless it may be a run that was published already.
    void end_pending(Track& track, const std::string& id);
    void expire(const std::string& id, Track& track);

    void stop_listing();
    void set_deadline(Track& track, TimePoint when);
    void set_unsettled(Track& track, bool unsettled);
    void drop_if_idle(const std::string& id);

    Portfolio& portfolio_;
    Output& output_;
    std::unordered_map<std::string, Track> tracks_;
    // While a list is under way, the containers that were told of since it was asked for: by events, and by
    // an inspection or a published end, which make the list's word on them stale.
    bool listing_ = false;
    bool first_list_ = true;  // it has not come yet
    RealTime told_from_;
    std::unordered_set<std::string> told_;
    std::unordered_set<std::string> confirmed_;
    EndedRuns ended_;
    std::size_t unsettled_ = 0;
    std::optional<TimePoint> next_deadline_;
};

}  // namespace shorewatch
