// The run tracker, of what a list tells.
#include <algorithm>
#include <utility>

#include "daemon/run_tracker.h"

namespace shorewatch {

void RunTracker::on_list_asked(RealTime told_from) {
    stop_listing();
    listing_ = true;
    told_from_ = told_from;
    for (auto& [id, track] : tracks_) {
        if (track.pending) {
            track.pending->fresh = track.pending->waited = false;
            track.pending->paused.reset();
            track.pending->name.reset();
        }
        // What made this list necessary may have been lost after the question: its answer proves nothing.
        track.ask_again = track.asked;
    }
}

void RunTracker::on_list(const std::vector<ContainerPtr>& alive, TimePoint now) {
    std::unordered_set<std::string_view> ids;
    ids.reserve(alive.size());
    for (const ContainerPtr& entry : alive) {
        if (ids.insert(entry->id).second) listed(entry);
    }
    std::vector<ContainerPtr> missing;
    portfolio_.for_each([&](const ContainerPtr& published) {
        if (!ids.contains(published->id)) missing.push_back(published);
    });
    for (const ContainerPtr& published : missing)
        missing_from_list(published, now);
    for (auto& [id, track] : tracks_) {
        if (!track.pending || track.pending->fresh || ids.contains(id)) continue;
        // It started before the list and is not in it: over. Its last event may still be on its way.
        track.pending->over = true;
        set_deadline(track, now + hold);
    }
    first_list_ = false;
    stop_listing();
}

void RunTracker::listed(const ContainerPtr& entry) {
    if (confirmed_.contains(entry->id)) return;
    if (ended_.is_certainly_over(*entry)) return;
    // The list may have the run that ended, of an engine that does not know yet, or has forgotten it.
    const EndedRun* const ended = ended_.find(entry->id);
    const bool may_be_over = ended != nullptr && ended->is_certain;
    const bool complete = entry->pid != 0 && !told_.contains(entry->id) && !may_be_over;
    if (const ContainerPtr published = portfolio_.find(entry->id)) {
        if (complete && published->is_same_run(*entry)) return compare(published, *entry);
        Track& track = tracks_[entry->id];
        if (complete &&
            !entry->started_after(told_from_)) {  // Of the run before, nobody knows more any longer.
            publish_exited(track, published, track.exiting.value_or(end_by(Cause::resync)));
            return publish_started(track, entry, {}, Cause::resync);
        }
        set_unsettled(track, true);
        return doubt(entry->id, track);
    }
    Track& track = tracks_[entry->id];
    if (complete && track.pending && entry->started_after(track.pending->time)) {
        publish_short_run(track, track.pending->outline, end_by(Cause::resync));
    }
    if (!track.pending) {
        PendingStart start;
        start.outline = entry->without_process();
        start.cause = Cause::resync;
        start.suspect = may_be_over;
        track.pending = std::move(start);
    }
    track.pending->fresh = true;
    if (complete && !track.asked && !will_be_told(*track.pending, *entry)) {
        publish_started(track, entry, track.pending->time, track.pending->cause);
        return drop_if_idle(entry->id);
    }
    set_unsettled(track, true);
    if (!track.asked) ask(entry->id, track);
}

// Is this a run whose start the stream is about to tell? Then there may have been others before it, just as
// short a while ago, which the stream tells first.
bool RunTracker::will_be_told(const PendingStart& pending, const Container& found) const {
    return !pending.time && !pending.waited && found.started_after(told_from_);
}

void RunTracker::missing_from_list(const ContainerPtr& published, TimePoint now) {
    if (confirmed_.contains(published->id)) return;
    Track& track = tracks_[published->id];
    if (track.exiting) return;
    track.exiting = end_by(Cause::resync);
    track.presumed_dead = true;
    set_unsettled(track, true);
    set_deadline(track, now + hold);
    if (!track.asked) ask(published->id, track);
}

void RunTracker::compare(const ContainerPtr& published, const Container& found) {
    ContainerPtr current = published;
    if (current->name != found.name) {
        current = current->with_name(found.name);
        portfolio_.add(current);
        output_.publish(ContainerRenamed{current, published->name, {}, Cause::resync});
    }
    if (current->paused == found.paused) return;
    current = portfolio_.set_paused(current->id, found.paused);
    if (found.paused) return output_.publish(ContainerPaused{current, {}, Cause::resync});
    output_.publish(ContainerUnpaused{current, {}, Cause::resync});
}

}  // namespace shorewatch
