// The run tracker, of what inspections tell.
#include <algorithm>
#include <utility>

#include "daemon/run_tracker.h"

namespace shorewatch {

namespace {

// A failed inspection is tried again after 1, 2, 4 … 32 s.
Clock::duration retry_delay(unsigned failures) {
    return std::chrono::seconds(1U << std::min(failures, 5U));
}

}  // namespace

void RunTracker::ask(const std::string& id, Track& track) {
    track.ask_again = track.asked;
    if (track.asked) return;
    track.asked = true;
    output_.inspect(id);
}

bool RunTracker::raised_by_start_of(const Container& container, const Track& track) {
    return track.raised_by_start && !container.started_after(track.held.front().time);
}

void RunTracker::doubt(const std::string& id, Track& track) {
    track.doubtful = true;
    ask(id, track);
}

void RunTracker::on_inspected(const std::string& id, const Result<Inspection>& answer, TimePoint now) {
    const auto found = tracks_.find(id);
    if (found == tracks_.end() || !found->second.asked) return;
    Track& track = found->second;
    track.asked = false;
    if (track.ask_again) return ask(id, track);
    const bool waits_for_exit =
        track.exiting || (track.pending && (track.pending->exit || track.pending->over));
    if (!waits_for_exit) track.deadline.reset();
    const bool missing = !answer && answer.error().kind == EngineError::Kind::not_found;
    if (!answer && !missing) {
        inspection_failed(id, track, now);
    } else {
        track.failures = 0;
        if (missing) {
            found_nothing(id, track, now);
        } else if (answer.value().alive) {
            found_alive(id, track, answer.value(), now);
        } else {
            found_dead(id, track, answer.value(), now);
        }
    }
    track.denied.reset();
    set_unsettled(track, false);
    release_held(track, now);
    drop_if_idle(id);
}

// A run is alive that is not the published one.
void RunTracker::found_another(Track& track, const ContainerPtr& published, const ContainerPtr& container,
                               TimePoint now) {
    if (raised_by_start_of(*container, track)) {
        // That was this later run's start: the end of the one before was lost.
        publish_exited(track, published, not_to_be_told(track.exiting.value_or(end_by(Cause::resync))));
        track.raised_by_start = true;
        return publish_started(track, container, track.held.front().time, Cause::event);
    }
    end_superseded(track, published, container->started, Cause::resync, now);
    const bool older_than_list = track.unsettled && !container->started_after(told_from_);
    if (older_than_list && !track.exiting) {
        return publish_started(track, container, {}, Cause::resync);
    }
    // Its start is on its way, and so may be other runs' events before it.
    track.successor = container;
    set_deadline(track, now + hold);
}

// What began later is another run.
std::optional<RealTime> RunTracker::latest_start(const PendingStart& pending) {
    return !pending.time && pending.exit ? pending.exit->time : pending.time;
}

void RunTracker::found_alive(const std::string& id, Track& track, const Inspection& found, TimePoint now) {
    const ContainerPtr& container = found.container;
    if (const ContainerPtr published = portfolio_.find(id)) {
        if (listing_) confirmed_.insert(id);
        if (!published->is_same_run(*container)) return found_another(track, published, container, now);
        if (std::exchange(track.presumed_dead, false)) {  // The list was wrong.
            track.exiting.reset();
            track.deadline.reset();
        }
        return compare(published, *container);
    }
    if (!track.pending) {
        // The answer to what was asked about a run that has ended meanwhile; and here is a later one.
        if (!container->started || ended_.is_over(*container)) return;
        track.pending = PendingStart{};
        track.pending->outline = container->without_process();
        track.pending->cause = Cause::resync;
    }
    PendingStart& pending = *track.pending;
    // What the kernel has ended may be alive still for its engine.
    if (ended_.is_certainly_over(*container)) return track.pending.reset();
    const bool told_over = pending.exit.has_value();
    if (told_over) {
        // Made just before the end, and yet it has what the events don't tell.
        const bool names_it = pending.outline->by_id_alone && !container->started_after(pending.exit->time);
        if (names_it) pending.outline = container->without_process();
        if (std::exchange(pending.asked_before_exit, false)) return ask(id, track);
        if (container->started_after(latest_start(pending))) {
            track.successor = container;
            return set_deadline(track, now + hold);
        }
        // That was the end of an earlier run, told late.
        pending.exit.reset();
        if (!pending.time) pending.cause = Cause::resync;
    }
    // What is over by the list or by the events, and yet alive: a later run.
    if (pending.over || container->started_after(pending.time)) {
        // The events of the end of the pending run and of this start are on their way.
        pending.over = true;
        track.successor = container;
        return set_deadline(track, now + hold);
    }
    if (will_be_told(pending, *container)) {
        pending.waited = true;
        return set_deadline(track, now + hold);
    }
    const PendingStart start = *std::exchange(track.pending, std::nullopt);
    auto complete = std::make_shared<Container>(*container);
    complete->paused = start.paused.value_or(container->paused);
    complete->name = start.name.value_or(container->name);
    if (listing_) confirmed_.insert(id);
    publish_started(track, std::move(complete), start.time, start.cause);
    // Unless the engine is not as good as its word.
    if (told_over) set_deadline(track, now + hold);
}

void RunTracker::found_dead(const std::string& id, Track& track, const Inspection& found, TimePoint now) {
    if (const ContainerPtr published = portfolio_.find(id)) {
        const Cause cause = track.unsettled ? Cause::resync : Cause::event;
        const bool same_start = published->started == found.container->started || !found.container->started;
        if (!same_start) {
            // A later run's own events tell of it, if they were not lost in a gap; one of them may have
            // raised the doubt.
            if (raised_by_start_of(*found.container, track)) track.raised_by_start = false;
            return end_superseded(track, published, found.container->started, cause, now);
        }
        const ExitReport known = track.exiting.value_or(end_by(cause));
        const ExitReport report = merged(known, report_of(found, cause));
        return publish_exited(track, published, track.denied ? merged(report, *track.denied) : report);
    }
    if (!track.pending) return;
    PendingStart& pending = *track.pending;
    if (found.container->started_after(latest_start(pending))) {
        if (pending.exit) return end_pending(track, id);
        pending.over = true;
        return set_deadline(track, now + hold);
    }
    if (ended_.is_over(*found.container)) return track.pending.reset();
    // Nothing says that it is another run than the one that was told to its end.
    if (pending.suspect && pending.exit && !found.container->started) return end_pending(track, id);
    if (!pending.exit && will_be_told(pending, *found.container)) {
        pending.waited = true;
        return set_deadline(track, now + hold);
    }
    ExitReport report = report_of(found, pending.exit ? pending.exit->cause : pending.cause);
    if (pending.exit) report = merged(report, *pending.exit);
    publish_short_run(track, found.container, report);
}

void RunTracker::found_nothing(const std::string& id, Track& track, TimePoint now) {
    if (const ContainerPtr published = portfolio_.find(id)) {
        // It began after the end that the kernel has told: its own events follow.
        const auto ended = track.exiting ? track.exiting->time : std::nullopt;
        if (track.raised_by_start && ended && track.held.front().time > *ended)
            return publish_exited(track, published, not_to_be_told(*track.exiting));
        const Cause cause = track.unsettled ? Cause::resync : Cause::event;
        return end_superseded(track, published, {}, cause, now);
    }
    if (!track.pending) return;
    if (track.pending->exit) return end_pending(track, id);
    // The engine has removed it, and says so after it has said how it ended.
    track.pending->over = true;
    set_deadline(track, now + hold);
}

void RunTracker::inspection_failed(const std::string& id, Track& track, TimePoint now) {
    if (const ContainerPtr published = portfolio_.find(id); published && track.exiting) {
        return publish_exited(track, published, *track.exiting);
    }
    if (track.pending && track.pending->exit) return end_pending(track, id);
    set_deadline(track, now + retry_delay(track.failures++));
}

// What is known of the end of a run that an inspection has shown to be over: an event that says how may have
// been held back, and be all that is left of it.
ExitReport RunTracker::known_end(const Track& track, const Container& published, Cause cause) {
    ExitReport report = track.exiting.value_or(end_by(cause));
    if (track.denied && !published.started_after(track.denied->stamp)) report = merged(report, *track.denied);
    for (std::size_t i = track.raised_by_start ? 1 : 0; i < track.held.size(); ++i) {
        const ContainerEvent& event = track.held[i];
        if (event.type == ContainerEvent::Type::started) break;  // What follows is of a later run.
        if (event.type != ContainerEvent::Type::exited || published.started_after(event.time)) continue;
        return merged(report_of(event, published), report);
    }
    return report;
}

// Ends a published run of whose end the engine has nothing more to tell than its exit event, which after a
// list has come already if it was not lost, and otherwise is on its way.
void RunTracker::end_superseded(Track& track, const ContainerPtr& published, std::optional<RealTime> later,
                                Cause cause, TimePoint now) {
    const ExitReport report = known_end(track, *published, cause);
    if (track.unsettled || report.told_by_event) return publish_exited(track, published, report);
    track.exiting = report;
    track.superseded = later.value_or(RealTime{});
    set_deadline(track, now + hold);
}

void RunTracker::release_held(Track& track, TimePoint now) {
    if (!track.doubtful) return;
    track.doubtful = false;
    std::vector<ContainerEvent> events = std::exchange(track.held, {});
    if (std::exchange(track.raised_by_start, false)) events.erase(events.begin());  // It told of nothing new.
    // Each may raise a new doubt, which holds the rest again; and the track may be gone after any of them.
    for (const ContainerEvent& event : events)
        on_event(event, now);
}

}  // namespace shorewatch
