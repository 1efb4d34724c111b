// What is left at the engine of a task that has stopped, and its removal.
#include <algorithm>

#include "daemon/tasks/task_actor.h"

namespace shorewatch {

namespace {

using Kind = EngineError::Kind;

}  // namespace

bool TaskActor::is_time_to_clean() {
    if (record_.known < TaskStatus::stopped) return false;
    if (record_.desired == TaskStatus::dead || record_.remove_now || !record_.stopped) return true;
    const auto left = *record_.stopped + house_.cleanup_after() - house_.surroundings().real_now();
    if (left <= left.zero()) return true;
    // A clock that was put forward shall not make it wait for ever.
    const auto most = std::min<Clock::duration>(left, house_.cleanup_after());
    cleanup_ = house_.alarms().at(house_.surroundings().now() + most, [weak = weak_from_this()] {
        if (const auto self = weak.lock()) self->wake();
    });
    return false;
}

void TaskActor::clean() {
    if (record_.desired != TaskStatus::dead) {
        record_.desired = TaskStatus::dead;
        to_be_kept_ = house_.keep();
        changed();
    }
    if (!house_.is_kept(to_be_kept_)) return;
    for (std::size_t index = 0; index < progress_.size(); ++index)
        clean_container(index);
    if (record_.known == TaskStatus::dead) clean_volumes();
}

void TaskActor::clean_container(std::size_t index) {
    const TaskContainerRecord& container = record_.containers[index];
    Progress& progress = progress_[index];
    if (container.known == TaskStatus::dead || progress.step != Step::rest) return;
    if (container.id.empty() && !progress.may_exist) return reach(index, TaskStatus::dead);
    if (!house_.engine_is_up()) return;
    // Under its name there may be somebody else's.
    if (container.id.empty()) return inspect(index);
    house_.calls().remove(container.id, answer_to(index, Step::remove, &TaskActor::removed));
}

void TaskActor::removed(std::size_t index, const std::optional<EngineError>& error) {
    if (!error || error->kind == Kind::not_found) return reach(index, TaskStatus::dead);
    later(index, error->message);
}

// One after the other.
void TaskActor::clean_volumes() {
    if (volume_call_ != 0 || volume_retry_) return;
    const auto next = std::ranges::find(volumes_, true, &VolumeProgress::may_exist);
    if (next == volumes_.end()) {
        over_ = true;
        return house_.task_over(*this);
    }
    // One that is still to be made would outlive its removal.
    if (!house_.engine_is_up() || next->asked > 0) return;
    const auto volume = static_cast<std::size_t>(next - volumes_.begin());
    volume_call_ = ++last_call_;
    house_.calls().remove_volume(
        record_.engine_name(record_.definition->volumes[volume].name),
        [weak = weak_from_this(), volume, call = volume_call_](const std::optional<EngineError>& error) {
            const auto self = weak.lock();
            if (!self || self->volume_call_ != call) return;
            self->volume_call_ = 0;
            self->volume_removed(volume, error);
        });
}

void TaskActor::volume_removed(std::size_t volume, const std::optional<EngineError>& error) {
    wake();
    if (!error || error->kind == Kind::not_found) {
        volumes_[volume].may_exist = false;
        volume_pause_ = {};
        return;
    }
    volume_trouble_ = error->message;
    volume_pause_ = next_pause(volume_pause_);
    volume_retry_ =
        house_.alarms().at(house_.surroundings().now() + volume_pause_, [weak = weak_from_this()] {
            if (const auto self = weak.lock()) self->wake();
        });
    looks_different();
}

void TaskActor::reset_volume_call() {
    volume_call_ = 0;
    volume_retry_.reset();
    volume_pause_ = {};
}

}  // namespace shorewatch
