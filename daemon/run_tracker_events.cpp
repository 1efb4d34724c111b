// The run tracker, of what the event stream tells.
#include <algorithm>
#include <utility>

#include "daemon/run_tracker.h"

namespace shorewatch {

namespace {

// Events of one container that wait for its inspection.
constexpr std::size_t max_held = 256;

}  // namespace

void RunTracker::on_event(const ContainerEvent& event, TimePoint now) {
    const std::string& id = event.container->id;
    // Replayed from before the watch began: what is alive of it is in the first list.
    if (first_list_ && event.time < told_from_) return;
    if (listing_) told_.insert(id);
    Track& track = tracks_[id];
    if (track.doubtful) {
        if (track.held.size() < max_held) return track.held.push_back(event);
        // Rather than out of order, they are taken by what they have led to.
        track.held.clear();
        track.raised_by_start = false;
        return ask(id, track);
    }
    switch (event.type) {
        case ContainerEvent::Type::started:
            take_started(event, track, now);
            break;
        case ContainerEvent::Type::exited:
            take_exited(event, track, now);
            break;
        case ContainerEvent::Type::paused:
            take_paused(event, track, true);
            break;
        case ContainerEvent::Type::unpaused:
            take_paused(event, track, false);
            break;
        case ContainerEvent::Type::renamed:
            take_renamed(event, track);
            break;
        case ContainerEvent::Type::oom:
            track.oom = track.pending || portfolio_.find(id);
            break;
        case ContainerEvent::Type::removed:
            // Podman tells no end of a run that was stopping when its container was removed by force, and
            // containerd may lose it; or it comes later, and says how it ended.
            if (portfolio_.find(id)) {
                if (!track.exiting) doubt(id, track);
            } else if (track.pending && !track.pending->exit) {
                take_exited(event, track, now);
            }
            break;
    }
    drop_if_idle(id);
}

void RunTracker::take_started(const ContainerEvent& event, Track& track, TimePoint now) {
    const std::string& id = event.container->id;
    if (const ContainerPtr published = portfolio_.find(id)) {
        // Of this run, as its end is not told yet and the one that was found in its place began later.
        if (track.superseded && !track.exiting->told_by_event && event.time < *track.superseded) return;
        auto end = track.exiting ? latest_end(*track.exiting) : std::nullopt;
        // What began after we heard of the end is a new run; what began before may be either.
        if (!end && track.exiting && track.exiting->time && event.time > *track.exiting->time)
            end = track.exiting->time;
        if (track.superseded) end = RealTime{};
        // Either this run's own start told again, or a new run whose predecessor's end was not told.
        if (!end) {
            track.held.push_back(event);
            track.raised_by_start = true;
            return doubt(id, track);
        }
        if (event.time <= *end) return;
        // Where there is no container any more it may still be this run's own.
        const bool may_be_its = track.superseded == RealTime{};
        publish_exited(track, published, may_be_its ? *track.exiting : not_to_be_told(*track.exiting));
    }
    if (track.successor && !track.successor->started_after(event.time)) track.successor.reset();
    EndedRun* ended = ended_.find(id);
    if (ended != nullptr && event.time <= ended->bound) return;
    bool may_be_its_start = ended != nullptr && ended->may_still_be_told_to_start(event.time);
    if (track.pending) {
        PendingStart& pending = *track.pending;
        if (is_start_of(event, pending)) {  // The list was faster than the event.
            pending.time = event.time;
            pending.fresh = true;
            pending.suspect = pending.suspect && may_be_its_start;
            pending.paused.reset();  // told of an earlier run
            return ask(id, track);
        }
        if (pending.time && event.time <= *pending.time) return;
        if (pending.outline->started_after(event.time)) {
            // An earlier run than the listed one, whose start will be told later.
            track.successor = pending.outline;
        } else if (!pending.suspect) {
            publish_short_run(track, pending.outline, not_to_be_told(pending.exit.value_or(ExitReport{})));
            ended = ended_.find(id);
            may_be_its_start = false;
        }
    }
    PendingStart start;
    start.outline = event.container;
    start.time = event.time;
    start.suspect = may_be_its_start;
    // What is new has the next end.
    if (ended != nullptr) ended->awaits_exit = may_be_its_start;
    track.pending = std::move(start);
    if (track.successor) set_deadline(track, now + hold);
    ask(id, track);
}

// Does this event belong to an earlier run than pending is, which is known from a list?
bool RunTracker::is_before(const ContainerEvent& event, const PendingStart& pending) {
    return !pending.time && pending.outline->started_after(event.time);
}

// Is this the start of the run that pending is, of which a list told first?
bool RunTracker::is_start_of(const ContainerEvent& event, const PendingStart& pending) const {
    if (pending.time || pending.exit || (pending.suspect && pending.over) ||
        pending.outline->started_after(event.time))
        return false;
    // In an older list but not in the last one, and began before what the stream tells: this is a later run.
    const bool was_over = pending.over && !pending.fresh && pending.outline->started;
    return !was_over || pending.outline->started_after(told_from_);
}

// Is this the end of a run that was told to its end by such an event before?
bool RunTracker::is_told_again(const ContainerEvent& event, const Track& track, const EndedRun* ended) {
    if (ended == nullptr || ended->awaits_exit || !ended->ended_as(event.container->pid)) return false;
    // Of what has begun since, pids may have come round.
    return !track.pending || !track.pending->time || track.pending->suspect;
}

void RunTracker::take_exited(const ContainerEvent& event, Track& track, TimePoint now) {
    const std::string& id = event.container->id;
    if (const ContainerPtr published = portfolio_.find(id)) {
        // Older than the run: a replayed end of an earlier one, or the engine's clock was set back. Nor is it
        // its end that is told while it lives, but an earlier one's, late.
        if (published->started_after(event.time) || output_.lives(id)) {
            track.denied = report_of(event, *published);
            return doubt(id, track);
        }
        ExitReport report = report_of(event, *published);
        if (track.exiting && !track.presumed_dead) report = merged(*track.exiting, report);
        return end_run(published, track, report, now);
    }
    EndedRun* const ended = ended_.find(id);
    // As containerd tells it, with a stamp of that moment, when it finds a shim dead.
    if (is_told_again(event, track, ended)) {
        if (listing_) confirmed_.insert(id);
        if (track.pending && track.pending->suspect) track.pending.reset();
        return;
    }
    if (ended != nullptr) {
        if (event.time <= ended->bound && !track.pending) return;
        // Whose end it is, the inspection that is under way will tell.
        const bool is_earlier = track.pending && is_before(event, *track.pending);
        const bool is_unclear = track.pending && track.pending->suspect && track.asked && !is_earlier;
        // Of the run that ended it was told already.
        if (track.pending && !track.pending->exit && !ended->awaits_exit) track.pending->suspect = false;
        const bool may_be_its = !track.pending || track.pending->suspect || !track.pending->time;
        if (may_be_its && std::exchange(ended->awaits_exit, false) && !is_unclear) {
            ended->bound = std::max(ended->bound, event.time);
            ended->exit_pid = event.container->pid;
            // The list was made before that, or has a later run, which the stream is about to tell of.
            if (listing_) confirmed_.insert(id);
            if (is_earlier) {
                track.pending->suspect = false;
            } else if (track.pending && track.pending->suspect) {
                track.pending.reset();
            }
            return;
        }
    }
    if (track.pending && is_before(event, *track.pending)) return;
    if (!track.pending) {  // It was alive when the stream was opened, and over before it could be listed.
        track.pending = PendingStart{};
        track.pending->outline = event.container;
        // Or is it the end, told late, of a run that was told of already?
        track.pending->suspect = ended != nullptr;
    }
    PendingStart& pending = *track.pending;
    if (pending.time && event.time < *pending.time) return ask(id, track);
    const ExitReport report = report_of(event, *pending.outline);
    const bool by_id_alone = pending.outline->by_id_alone;
    if (!track.asked && !by_id_alone && !pending.suspect) {
        return publish_short_run(track, pending.outline, report);
    }
    // An inspection may still find what the events don't tell, or that it is an earlier run's end, told late.
    pending.exit = report;
    pending.asked_before_exit = track.asked;
    set_deadline(track, now + (by_id_alone ? hold_for_name : hold));
    if (!track.asked) ask(id, track);
}

void RunTracker::take_paused(const ContainerEvent& event, Track& track, bool paused) {
    if (const ContainerPtr published = portfolio_.find(event.container->id)) {
        if (published->paused == paused || published->started_after(event.time)) return;
        const ContainerPtr changed = portfolio_.set_paused(published->id, paused);
        if (paused) return output_.publish(ContainerPaused{changed, event.time, Cause::event});
        return output_.publish(ContainerUnpaused{changed, event.time, Cause::event});
    }
    if (!track.pending || is_before(event, *track.pending)) return;
    if (!track.pending->time || event.time >= *track.pending->time) track.pending->paused = paused;
}

void RunTracker::take_renamed(const ContainerEvent& event, Track& track) {
    if (const ContainerPtr published = portfolio_.find(event.container->id)) {
        if (published->name == event.container->name) return;
        const ContainerPtr changed = published->with_name(event.container->name);
        portfolio_.add(changed);
        return output_.publish(ContainerRenamed{changed, published->name, event.time, Cause::event});
    }
    if (track.pending && !is_before(event, *track.pending)) track.pending->name = event.container->name;
}

}  // namespace shorewatch
