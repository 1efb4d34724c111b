// The run tracker: how runs end, and what time and the loss of the stream do.
#include "daemon/run_tracker.h"

#include <algorithm>
#include <utility>

namespace shorewatch {

// --- the end of runs
// ------------------------------------------------------------------------------------------

void RunTracker::on_process_exit(std::string_view id, std::uint32_t pid, const ExitReport& report,
                                 TimePoint now) {
    const ContainerPtr published = portfolio_.find(id);
    if (!published || published->pid != pid) return;
    Track& track = tracks_[published->id];
    const bool is_known = track.exiting && !track.presumed_dead;
    end_run(published, track, is_known ? merged(*track.exiting, report) : report, now);
    drop_if_idle(published->id);
}

// The one place where all sources of an exit meet: the first that knows the exit code ends the run, and a run
// whose exit code nobody knows ends a little later without.
void RunTracker::end_run(const ContainerPtr& published, Track& track, const ExitReport& report,
                         TimePoint now) {
    track.presumed_dead = false;
    if (report.exit_code) return publish_exited(track, published, report);
    const bool waiting = std::exchange(track.exiting, report).has_value();
    if (waiting && track.deadline) return;
    set_deadline(track, now + hold);
    if (!track.asked) ask(published->id, track);
}

std::optional<RealTime> RunTracker::time_of_start(const Container& container, std::optional<RealTime> stamp) {
    const EndedRun* const before = ended_.find(container.id);
    const bool is_stale = before != nullptr && before->started == container.started;
    return container.started && !is_stale ? container.started : stamp;
}

void RunTracker::publish_started(Track& track, ContainerPtr container, std::optional<RealTime> stamp,
                                 Cause cause) {
    track.pending.reset();
    track.successor.reset();
    track.deadline.reset();
    portfolio_.add(container);
    output_.publish(ContainerStarted{container, time_of_start(*container, stamp), cause, {}});
    // Whoever follows the signals alone must not miss that it is paused.
    if (container->paused) output_.publish(ContainerPaused{std::move(container), {}, cause});
}

void RunTracker::publish_exited(Track& track, const ContainerPtr& published, ExitReport report) {
    if (std::exchange(track.oom, false)) report.oom_killed = true;
    track.exiting.reset();
    track.superseded.reset();
    track.presumed_dead = false;
    // A successor's start is on its way, but not for ever.
    if (!track.successor) track.deadline.reset();
    // What raised a doubt about it is heard again, of what comes next.
    track.raised_by_start = false;
    portfolio_.remove_id(published->id);
    // Of what the kernel alone tells the list may know nothing yet; or it has a later run whose start nobody
    // tells.
    const bool by_kernel_alone = report.cause == Cause::kernel && !report.told_by_event;
    if (listing_ && !by_kernel_alone) confirmed_.insert(published->id);
    ended_.remember(*published, {}, report);
    output_.publish(
        ContainerExited{published, report.time, report.exit_code, report.oom_killed, report.cause});
}

void RunTracker::publish_short_run(Track& track, ContainerPtr container, ExitReport report) {
    const PendingStart start = *std::exchange(track.pending, std::nullopt);
    track.successor.reset();
    if (std::exchange(track.oom, false)) report.oom_killed = true;
    track.deadline.reset();
    container = container->without_process();
    if (start.name) container = container->with_name(*start.name);
    if (listing_) confirmed_.insert(container->id);
    const auto time = time_of_start(*container, start.time);
    ended_.remember(*container, start.time, report);
    output_.publish(ContainerStarted{container, time, start.cause, {}});
    output_.publish(
        ContainerExited{container, report.time, report.exit_code, report.oom_killed, report.cause});
}

// Nobody will tell more of the pending run than that it is over.
void RunTracker::end_pending(Track& track, const std::string& id) {
    const PendingStart& pending = *track.pending;
    EndedRun* const ended = pending.suspect ? ended_.find(id) : nullptr;
    if (ended == nullptr) return publish_short_run(track, pending.outline, *pending.exit);
    if (pending.exit->stamp) ended->bound = std::max(ended->bound, *pending.exit->stamp);
    track.pending.reset();
}

// --- time, and the end of the stream
// --------------------------------------------------------------------------

void RunTracker::on_deadline(TimePoint now) {
    next_deadline_.reset();
    std::vector<std::string> due;
    for (const auto& [id, track] : tracks_) {
        if (!track.deadline) continue;
        if (*track.deadline <= now) {
            due.push_back(id);
        } else if (!next_deadline_ || *track.deadline < *next_deadline_) {
            next_deadline_ = track.deadline;
        }
    }
    for (const std::string& id : due) {
        Track& track = tracks_.at(id);
        track.deadline.reset();
        expire(id, track);
        drop_if_idle(id);
    }
}

void RunTracker::expire(const std::string& id, Track& track) {
    const ContainerPtr published = portfolio_.find(id);
    const ContainerPtr successor = std::exchange(track.successor, nullptr);
    if (published && track.exiting) {
        set_unsettled(track, false);
        publish_exited(track, published, *track.exiting);
    } else if (published) {
        return doubt(id, track);
    } else if (track.pending && track.pending->exit) {
        end_pending(track, id);
    } else if (track.pending && !track.pending->over) {
        return ask(id, track);
    } else if (track.pending && track.pending->suspect) {
        track.pending.reset();
    } else if (track.pending) {
        publish_short_run(track, track.pending->outline, end_by(Cause::resync));
    }
    if (!successor || track.pending) return;
    // Nor have the events come that would have told of the next run.
    track.pending = PendingStart{};
    track.pending->outline = successor->without_process();
    track.pending->cause = Cause::resync;
    ask(id, track);
}

void RunTracker::on_stream_lost() {
    stop_listing();
    std::vector<std::string> ids;
    ids.reserve(tracks_.size());
    for (const auto& [id, track] : tracks_)
        ids.push_back(id);
    for (const std::string& id : ids) {
        Track& track = tracks_.at(id);
        // What is known to be over has no better source to wait for. What is in doubt is settled by the next
        // list.
        const ContainerPtr published = portfolio_.find(id);
        if (published && track.exiting) publish_exited(track, published, *track.exiting);
        if (track.pending && track.pending->exit) {
            end_pending(track, id);
        }
        track.asked = track.ask_again = track.doubtful = false;
        track.held.clear();
        track.raised_by_start = false;
        track.deadline.reset();
        set_unsettled(track, false);
        drop_if_idle(id);
    }
    next_deadline_.reset();
    ended_.on_stream_lost();
}

void RunTracker::stop_listing() {
    listing_ = false;
    told_.clear();
    confirmed_.clear();
}

void RunTracker::set_deadline(Track& track, TimePoint when) {
    if (!track.deadline || when < *track.deadline) track.deadline = when;
    if (!next_deadline_ || *track.deadline < *next_deadline_) next_deadline_ = track.deadline;
}

void RunTracker::set_unsettled(Track& track, bool unsettled) {
    if (track.unsettled == unsettled) return;
    track.unsettled = unsettled;
    unsettled_ = unsettled ? unsettled_ + 1 : unsettled_ - 1;
}

void RunTracker::drop_if_idle(const std::string& id) {
    const auto found = tracks_.find(id);
    if (found == tracks_.end()) return;
    Track& track = found->second;
    if (track.pending || track.exiting || track.asked || track.doubtful || track.oom || track.deadline)
        return;
    set_unsettled(track, false);
    tracks_.erase(found);
}

}  // namespace shorewatch
