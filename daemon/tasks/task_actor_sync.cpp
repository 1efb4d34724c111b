// What the engine says of a task's containers, when asked and by itself, and what is known by that.
#include <algorithm>
#include <utility>

#include "daemon/tasks/task_actor.h"
#include "engines/support/text.h"

namespace shorewatch {

namespace {

using Kind = EngineError::Kind;
using State = DeployedContainer::State;

}  // namespace

void TaskActor::engine_up(const std::vector<DeployedContainer>& listed) {
    for (std::size_t index = 0; index < progress_.size(); ++index) {
        abandon(index);
        progress_[index].pause = {};
        if (!record_.containers[index].id.empty() || !progress_[index].may_exist) continue;
        // By its name rather than by its labels alone: a stranger can have those.
        const DeployedContainer* found = nullptr;
        for (const DeployedContainer& container : listed) {
            if (!is_of(container, record_, index)) continue;
            if (found == nullptr || container.name == engine_name(index)) found = &container;
        }
        if (found != nullptr) identify(index, found->id);
    }
    reset_volume_call();
    looks_different();
    wake();
}

void TaskActor::engine_down() {
    for (std::size_t index = 0; index < progress_.size(); ++index) {
        abandon(index);
        progress_[index].unsure = true;
    }
    reset_volume_call();
    looks_different();
    wake();
}

void TaskActor::container_started(std::size_t index) {
    const TaskContainerRecord& container = record_.containers[index];
    Progress& progress = progress_[index];
    if (container.known == TaskStatus::stopped) {
        progress.runs_again = !container.stopped_again;
        return wake();
    }
    if (container.known >= TaskStatus::running) return;
    if (progress.step == Step::start) abandon(index);
    reach(index, TaskStatus::running);
    ask_details(index);
}

void TaskActor::container_exited(std::size_t index, std::optional<int> code, std::optional<bool> oom_killed,
                                 std::optional<RealTime> time) {
    TaskContainerRecord& container = record_.containers[index];
    progress_[index].runs_again = false;
    if (container.known >= TaskStatus::stopped) return;
    container.exit_code = code;
    container.oom_killed = oom_killed.value_or(false);
    container.finished = time;
    const Step step = progress_[index].step;
    if (step == Step::start || step == Step::stop || step == Step::inspect || step == Step::pause)
        abandon(index);
    progress_[index].unsure = false;
    reach(index, TaskStatus::stopped);
    if (!code) ask_details(index);
}

void TaskActor::inspect(std::size_t index) {
    const TaskContainerRecord& container = record_.containers[index];
    const auto answer = [weak = weak_from_this(), index,
                         call = begin(index, Step::inspect)](const Result<DeployedContainer>& found) {
        const auto self = weak.lock();
        if (self && self->ends(index, call)) self->inspected(index, found);
    };
    house_.calls().inspect(container.id.empty() ? engine_name(index) : container.id, answer);
}

void TaskActor::inspected(std::size_t index, const Result<DeployedContainer>& answer) {
    Progress& progress = progress_[index];
    const bool by_name = record_.containers[index].id.empty();
    const bool is_there = answer && (!by_name || is_of(answer.value(), record_, index));
    if (is_there) {
        identify(index, answer.value().id);
        return take(index, answer.value());
    }
    if (!answer && answer.error().kind != Kind::not_found) return later(index, answer.error().message);
    progress.unsure = false;
    progress.may_exist = false;
    if (!by_name) return vanish(index);
    if (!std::exchange(progress.name_taken, false)) return;
    if (answer) return fail(index, progress.trouble);
    // Whoever had the name is gone.
    later(index, progress.trouble);
}

void TaskActor::take(std::size_t index, const DeployedContainer& found) {
    TaskContainerRecord& container = record_.containers[index];
    Progress& progress = progress_[index];
    progress.unsure = false;
    progress.name_taken = false;
    take_facts(index, found);
    const bool was_stopped = std::exchange(progress.was_stopped, false);
    switch (found.state) {
        case State::created:
            return reach(index, TaskStatus::created);
        case State::running:
            if (container.known == TaskStatus::stopped) {
                progress.runs_again = !container.stopped_again;
                return;
            }
            reach(index, TaskStatus::running);
            if (was_stopped) later(index, "the engine says that it has stopped, and that it runs");
            return;
        case State::stopped:
            progress.runs_again = false;
            return reach(index, TaskStatus::stopped);
    }
}

void TaskActor::take_facts(std::size_t index, const DeployedContainer& found) {
    TaskContainerRecord& container = record_.containers[index];
    if (found.started) container.started = found.started;
    if (found.state == State::running) container.ports = found.ports;
    if (found.state == State::stopped) {
        if (found.exit_code && !container.exit_code) {
            container.exit_code = found.exit_code;
            container.oom_killed = found.oom_killed;
        }
        if (!container.finished) container.finished = found.finished;
        if (container.reason.empty()) container.reason = valid_utf8(found.error, longest_name);
    }
    changed();
}

// Of one that runs or has ended: what nobody waits for.
void TaskActor::ask_details(std::size_t index) {
    const std::string id = record_.containers[index].id;
    if (id.empty() || !house_.engine_is_up()) return;
    house_.calls().inspect(id, [weak = weak_from_this(), index](const Result<DeployedContainer>& found) {
        const auto self = weak.lock();
        if (!self || !found || self->record_.containers[index].known == TaskStatus::dead) return;
        self->take_facts(index, found.value());
        const bool ended = found.value().state == State::stopped;
        if (ended && self->record_.containers[index].known == TaskStatus::running)
            self->container_exited(index, found.value().exit_code, found.value().oom_killed,
                                   found.value().finished);
    });
}

void TaskActor::identify(std::size_t index, const std::string& id) {
    if (record_.containers[index].id == id) return;
    record_.containers[index].id = id;
    house_.container_identified(*this, index);
}

void TaskActor::vanish(std::size_t index) {
    TaskContainerRecord& container = record_.containers[index];
    progress_[index].unsure = false;
    progress_[index].runs_again = false;
    if (container.known >= TaskStatus::stopped) return;
    if (container.reason.empty()) container.reason = "container vanished";
    reach(index, TaskStatus::stopped);
}

void TaskActor::reach(std::size_t index, TaskStatus status) {
    TaskContainerRecord& container = record_.containers[index];
    Progress& progress = progress_[index];
    if (status <= container.known) return;
    container.known = status;
    progress.pause = {};
    progress.trouble.clear();
    if (status == TaskStatus::stopped && definition(index).essential) {
        std::string how = container.reason;
        if (how.empty() && container.exit_code) how = "exit code " + std::to_string(*container.exit_code);
        stop("essential container " + definition(index).name + " has stopped" +
             (how.empty() ? "" : ": " + how));
    }
    house_.container_reached(*this, index);
    reach_task();
    changed();
    wake();
}

void TaskActor::reach_task() {
    const TaskStatus least = std::ranges::min(record_.containers, {}, &TaskContainerRecord::known).known;
    if (least <= record_.known) return;
    record_.known = least;
    if (least == TaskStatus::stopped) record_.stopped = house_.surroundings().real_now();
    house_.task_reached(*this);
}

}  // namespace shorewatch
