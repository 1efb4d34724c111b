#include "daemon/tasks/task_actor.h"

#include <algorithm>
#include <utility>

#include "engines/support/log.h"
#include "engines/support/text.h"

namespace shorewatch {

TaskActor::TaskActor(TaskHouse& house, TaskRecord record, bool restored)
    : house_(house),
      record_(std::move(record)),
      progress_(record_.containers.size()),
      volumes_(record_.definition->volumes.size()) {
    if (!restored) {
        to_be_kept_ = house_.keep();
        return;
    }
    // It may have been made after the record was written.
    for (Progress& progress : progress_) {
        progress.may_exist = true;
        progress.unsure = true;
    }
    for (std::size_t volume = 0; volume < volumes_.size(); ++volume)
        volumes_[volume].may_exist = record_.definition->volumes[volume].host_path.empty();
}

TaskActor::~TaskActor() {
    for (std::size_t index = 0; index < progress_.size(); ++index)
        abandon(index);
}

void TaskActor::wake() {
    if (std::exchange(turn_is_due_, true)) return;
    house_.surroundings().post([weak = weak_from_this()] {
        const auto self = weak.lock();
        if (!self) return;
        self->turn_is_due_ = false;
        self->turn();
    });
}

void TaskActor::saved() {
    if (to_be_kept_ == 0 || !house_.is_kept(to_be_kept_)) return;
    to_be_kept_ = 0;
    wake();
}

void TaskActor::turn() {
    if (over_) return;
    if (is_time_to_clean()) return clean();
    for (std::size_t index = 0; index < progress_.size(); ++index)
        advance(index);
    stop_if_stalled();
}

void TaskActor::advance(std::size_t index) {
    const TaskContainerRecord& container = record_.containers[index];
    Progress& progress = progress_[index];
    if (wants_stop(index)) give_up_preparing(index);
    if (progress.step != Step::rest || container.known == TaskStatus::dead) return;
    progress.unsure = progress.unsure && (progress.may_exist || !container.id.empty());
    if (progress.unsure) {
        if (house_.engine_is_up()) inspect(index);
        return;
    }
    if (wants_stop(index) || container.known == TaskStatus::stopped) return bring_down(index);
    if (container.known < TaskStatus::running && house_.engine_is_up() && blocking(index) == nullptr)
        rise(index);
}

void TaskActor::rise(std::size_t index) {
    switch (record_.containers[index].known) {
        case TaskStatus::none:
            return pull(index);
        case TaskStatus::pulled:
            if (progress_[index].image_missing) return pull(index);
            // Its name has to be known to whoever comes after us before the engine has it.
            if (house_.is_kept(to_be_kept_) && !make_volumes(index)) create(index);
            return;
        case TaskStatus::created:
            return start(index);
        case TaskStatus::running:
        case TaskStatus::stopped:
        case TaskStatus::dead:
            return;
    }
}

void TaskActor::bring_down(std::size_t index) {
    const TaskStatus known = record_.containers[index].known;
    const bool runs =
        known == TaskStatus::running || (known == TaskStatus::stopped && progress_[index].runs_again);
    if (runs) {
        if (house_.engine_is_up()) stop_container(index);
    } else if (known < TaskStatus::stopped) {
        reach(index, TaskStatus::stopped);
    }
}

// What only prepares, and leaves nothing behind.
void TaskActor::give_up_preparing(std::size_t index) {
    const Progress& progress = progress_[index];
    const bool prepares = progress.step == Step::pull || progress.step == Step::look_for_image;
    const bool pauses = progress.step == Step::pause && !progress.unsure &&
                        record_.containers[index].known < TaskStatus::created;
    if (prepares || pauses) abandon(index);
}

void TaskActor::stop(const std::string& reason) {
    if (record_.desired >= TaskStatus::stopped) return;
    record_.desired = TaskStatus::stopped;
    record_.reason = reason;
    changed();
    wake();
}

void TaskActor::remove(const std::string& reason) {
    stop(reason);
    if (std::exchange(record_.remove_now, true)) return;
    changed();
    wake();
}

void TaskActor::take_credentials(const CredentialsByRegistry& credentials) {
    if (credentials.empty()) return;
    record_.credentials = credentials;
    record_.registries.clear();
    for (const auto& [registry, one] : credentials)
        record_.registries.push_back(registry);
    changed();
}

void TaskActor::mark_told(std::size_t container) {
    record_.containers[container].told = record_.containers[container].known;
}

void TaskActor::mark_told() {
    record_.told = record_.known;
}

// As when the engine would never let anything move again: whoever waits for what never comes waits in vain.
void TaskActor::stop_if_stalled() {
    if (record_.desired >= TaskStatus::stopped) return;
    std::optional<std::size_t> hopeless;
    for (std::size_t index = 0; index < progress_.size(); ++index) {
        if (progress_[index].step != Step::rest || progress_[index].unsure) return;
        if (record_.containers[index].known >= TaskStatus::running) continue;
        if (!is_hopeless(index)) return;
        if (!hopeless) hopeless = index;
    }
    if (!hopeless) return;
    stop("container " + definition(*hopeless).name + " can't go on: it waits for " +
         describe(*blocking(*hopeless)) + ", which will not be");
}

}  // namespace shorewatch
