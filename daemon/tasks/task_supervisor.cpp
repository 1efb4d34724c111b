#include "daemon/tasks/task_supervisor.h"

#include <algorithm>
#include <utility>

#include "daemon/tasks/definition_reader.h"
#include "engines/support/log.h"
#include "engines/support/text.h"

namespace shorewatch {

namespace {

TaskError beyond(const std::string& limit) {
    return {TaskError::Kind::limits, {}, limit + "; remove some first"};
}

TaskError no_such_task(std::string_view arn) {
    return {TaskError::Kind::no_such_task, {}, "there is no task " + printable(arn)};
}

}  // namespace

TaskSupervisor::TaskSupervisor(std::unique_ptr<TaskSurroundings> surroundings, TaskBackend& backend,
                               const TaskSettings& settings, Kept kept)
    : surroundings_(std::move(surroundings)),
      backend_(backend),
      settings_(settings),
      alarms_([this](Clock::time_point when) {
          surroundings_->wake_at(when, [this] { alarms_.run_due(surroundings_->now()); });
      }),
      calls_(backend, *surroundings_, alarms_),
      pulls_(calls_),
      images_(calls_, *surroundings_),
      owner_(std::move(kept.state.owner)),
      boot_(surroundings_->boot_id()),
      had_tasks_(!owner_.empty()),
      followed_(std::move(kept.state.files)),
      state_problem_(std::move(kept.problem)),
      saver_(*surroundings_, alarms_, [this] { return state_text(); }, [this] { saved(); }) {
    constexpr std::size_t owner_digits = 16;
    if (owner_.empty()) owner_ = surroundings_->random_hex(owner_digits);
    if (!kept.forbidden.empty()) saver_.forbid(kept.forbidden);
    for (TaskRecord& record : kept.state.tasks)
        add_actor(std::move(record), true);
    told_problem_ = problem();
    TaskBackendObserver& observer = *this;
    backend_.observe(observer);
}

TaskSupervisor::~TaskSupervisor() = default;

void TaskSupervisor::set_observer(TaskEngineObserver* observer) {
    observer_ = observer;
    changed_.clear();
    if (observer_ == nullptr) return;
    for (const auto& [arn, actor] : tasks_)
        observer_->task_added(actor->view());
    for (const auto& [arn, actor] : tasks_)
        tell_untold(*actor);
    told_problem_ = problem();
    if (!told_problem_.empty()) observer_->problem_changed(told_problem_);
}

std::variant<std::string, TaskError> TaskSupervisor::add(const std::string& definition) {
    try {
        return take(read_definition(definition), {});
    } catch (const InvalidDefinition& error) {
        return TaskError{TaskError::Kind::invalid_spec, error.path(), error.path() + " " + error.what()};
    }
}

std::optional<TaskError> TaskSupervisor::stop(std::string_view arn) {
    TaskActor* actor = actor_of(arn);
    if (actor == nullptr) return no_such_task(arn);
    actor->stop("it was asked to");
    return std::nullopt;
}

std::optional<TaskError> TaskSupervisor::remove(std::string_view arn) {
    TaskActor* actor = actor_of(arn);
    if (actor == nullptr) return no_such_task(arn);
    actor->remove("it was asked to");
    return std::nullopt;
}

std::vector<TaskView> TaskSupervisor::list() const {
    std::vector<TaskView> views;
    views.reserve(tasks_.size());
    for (const auto& [arn, actor] : tasks_)
        views.push_back(actor->view());
    return views;
}

std::optional<TaskView> TaskSupervisor::find(std::string_view arn) const {
    const TaskActor* actor = actor_of(arn);
    return actor == nullptr ? std::nullopt : std::optional(actor->view());
}

void TaskSupervisor::list_images(EngineDeployment::ImagesReply reply) {
    if (engine_ != EngineState::down) return images_.list(std::move(reply));
    images_.refuse(std::move(reply),
                   {EngineError::Kind::unreachable, "cannot list images: the engine is not there" +
                                                        (why_down_.empty() ? "" : ": " + why_down_)});
}

std::string TaskSupervisor::export_state() const {
    return state_text();
}

std::string TaskSupervisor::problem() const {
    std::string text;
    for (const std::string& one : {state_problem_, saver_.trouble(), file_problem_, credentials_problem_}) {
        if (!one.empty()) text += (text.empty() ? "" : "; ") + one;
    }
    return text;
}

TaskActor* TaskSupervisor::actor_of(std::string_view arn) const {
    const auto found = tasks_.find(arn);
    return found == tasks_.end() ? nullptr : found->second.get();
}

std::variant<std::string, TaskError> TaskSupervisor::take(const WantedTask& wanted, const std::string& file) {
    if (TaskActor* there = wanted.arn.empty() ? nullptr : actor_of(wanted.arn)) {
        if (auto error = take_again(*there, wanted)) return *error;
        return wanted.arn;
    }
    if (auto error = limit_for(wanted)) return *error;
    TaskRecord record;
    const std::string& family = wanted.definition->family;
    record.arn = !wanted.arn.empty() ? wanted.arn
                                     : free_name([&](const std::string& hex) { return family + "-" + hex; });
    record.file = file;
    record.definition = wanted.definition;
    record.json = wanted.json;
    record.suffix = free_name([](const std::string& hex) { return hex; });
    record.added = surroundings_->real_now();
    record.containers.resize(wanted.definition->containers.size());
    std::string arn = record.arn;
    add_actor(std::move(record), false);
    TaskActor& actor = *actor_of(arn);
    actor.take_credentials(wanted.credentials);
    if (wanted.desired == TaskStatus::stopped) actor.stop("it was added to be stopped");
    if (observer_ != nullptr) observer_->task_added(actor.view());
    log::info("task " + printable(arn) + " is added", {{"SHOREWATCH_TASK", arn}});
    return arn;
}

std::optional<TaskError> TaskSupervisor::limit_for(const WantedTask& wanted) const {
    if (tasks_.size() >= most_tasks)
        return beyond("there are " + std::to_string(most_tasks) + " tasks already");
    if (container_total_ + wanted.definition->containers.size() > most_containers_of_tasks) {
        return beyond("all tasks would have more than " + std::to_string(most_containers_of_tasks) +
                      " containers");
    }
    if (definition_bytes_ + wanted.json.size() > most_definition_bytes) {
        return beyond("the definitions of all tasks would be larger than " +
                      std::to_string(most_definition_bytes) + " bytes");
    }
    return std::nullopt;
}

std::optional<TaskError> TaskSupervisor::take_again(TaskActor& actor, const WantedTask& wanted) {
    if (!(*actor.record().definition == *wanted.definition)) {
        return TaskError{TaskError::Kind::conflict,
                         {},
                         "there is a task " + printable(wanted.arn) +
                             " with another definition; give this one another taskArn, or remove that one"};
    }
    actor.take_credentials(wanted.credentials);
    if (wanted.desired == TaskStatus::stopped) actor.stop("it was asked to");
    return std::nullopt;
}

void TaskSupervisor::add_actor(TaskRecord record, bool restored) {
    const std::string arn = record.arn;
    definition_bytes_ += record.json.size();
    container_total_ += record.containers.size();
    TaskHouse& house = *this;
    auto actor = std::make_shared<TaskActor>(house, std::move(record), restored);
    tasks_.emplace(arn, actor);
    for (std::size_t index = 0; index < actor->record().containers.size(); ++index) {
        const std::string& id = actor->record().containers[index].id;
        if (!id.empty()) containers_.insert_or_assign(id, std::pair(actor, index));
    }
    had_tasks_ = true;
    actor->wake();
}

void TaskSupervisor::remove_entry(const std::string& arn) {
    const auto found = tasks_.find(arn);
    const std::shared_ptr<TaskActor> actor = found->second;
    for (const TaskContainerRecord& container : actor->record().containers)
        containers_.erase(container.id);
    definition_bytes_ -= actor->record().json.size();
    container_total_ -= actor->record().containers.size();
    tasks_.erase(found);
    changed_.erase(arn);
    saver_.change();
    if (observer_ != nullptr) observer_->task_removed(actor->view());
    log::info("task " + printable(arn) + " is removed", {{"SHOREWATCH_TASK", arn}});
    if (!actor->record().file.empty()) follow_again();
}

// Of random digits, a name that no task has: neither as its own nor as the suffix of its names.
std::string TaskSupervisor::free_name(const std::function<std::string(const std::string&)>& make) const {
    constexpr std::size_t digits = 8;
    while (true) {
        std::string name = make(surroundings_->random_hex(digits));
        const auto has_it = [&](const auto& task) {
            return task.first == name || task.second->record().suffix == name;
        };
        if (std::ranges::none_of(tasks_, has_it)) return name;
    }
}

std::string TaskSupervisor::state_text() const {
    TaskStateWriter writer(owner_, followed_);
    for (const auto& [arn, actor] : tasks_)
        writer.add(actor->record());
    return writer.finish();
}

std::string TaskSupervisor::engine_awaited() const {
    if (engine_ == EngineState::listing) return "the engine to list its containers";
    return "the engine to be there" + (why_down_.empty() ? "" : ": " + why_down_);
}

std::optional<RegistryCredentials> TaskSupervisor::credentials_of(const std::string& registry) const {
    const auto found = credentials_.find(registry);
    return found == credentials_.end() ? std::nullopt : std::optional(found->second);
}

void TaskSupervisor::saved() {
    for (const auto& [arn, actor] : tasks_)
        actor->saved();
    tell_problem();
}

void TaskSupervisor::container_reached(TaskActor& task, std::size_t container) {
    if (observer_ != nullptr) {
        const TaskView view = task.view();
        observer_->container_status_changed(view, view.containers[container]);
        task.mark_told(container);
    }
    log::debug("task " + printable(task.record().arn) + ": container " +
                   task.record().definition->containers[container].name + " is " +
                   std::string(to_string(task.record().containers[container].known)),
               {{"SHOREWATCH_TASK", task.record().arn}});
    saver_.change();
}

void TaskSupervisor::task_reached(TaskActor& task) {
    const TaskRecord& record = task.record();
    if (observer_ != nullptr) {
        observer_->task_status_changed(task.view());
        task.mark_told();
    }
    log::info("task " + printable(record.arn) + " is " + std::string(to_string(record.known)) +
                  (record.reason.empty() ? "" : ": " + printable(record.reason)),
              {{"SHOREWATCH_TASK", record.arn}});
    saver_.change();
    // Of an earlier life of the machine: its file wants another one.
    const auto followed = followed_.find(record.file);
    if (record.known == TaskStatus::stopped && followed != followed_.end() && followed->second.boot != boot_)
        follow_again();
}

void TaskSupervisor::tell_untold(TaskActor& task) {
    const TaskView view = task.view();
    for (std::size_t index = 0; index < view.containers.size(); ++index) {
        if (task.record().containers[index].told >= view.containers[index].known) continue;
        observer_->container_status_changed(view, view.containers[index]);
        task.mark_told(index);
        saver_.change();
    }
    if (task.record().told >= view.known) return;
    observer_->task_status_changed(view);
    task.mark_told();
    saver_.change();
}

void TaskSupervisor::container_identified(TaskActor& task, std::size_t container) {
    const std::string& id = task.record().containers[container].id;
    containers_.insert_or_assign(id, std::pair(task.weak_from_this(), container));
    task_changed(task);
}

void TaskSupervisor::task_changed(TaskActor& task) {
    saver_.change();
    task_looks_different(task);
}

void TaskSupervisor::task_looks_different(TaskActor& task) {
    if (observer_ == nullptr) return;
    changed_.insert(task.record().arn);
    if (std::exchange(flush_is_due_, true)) return;
    surroundings_->post([this, alive = std::weak_ptr(alive_)] {
        if (!alive.expired()) flush();
    });
}

void TaskSupervisor::flush() {
    flush_is_due_ = false;
    for (const std::string& arn : std::exchange(changed_, {})) {
        const TaskActor* actor = actor_of(arn);
        if (observer_ != nullptr && actor != nullptr) observer_->task_changed(actor->view());
    }
}

// Not within the actor's own call.
void TaskSupervisor::task_over(TaskActor& task) {
    surroundings_->post([this, alive = std::weak_ptr(alive_), arn = task.record().arn] {
        if (!alive.expired()) remove_entry(arn);
    });
}

void TaskSupervisor::tell_problem() {
    const std::string now = problem();
    if (now == std::exchange(told_problem_, now)) return;
    if (now.empty()) {
        log::notice("tasks: what was wrong with their files is no more");
    } else {
        log::warning("tasks: " + now);
    }
    if (observer_ != nullptr) observer_->problem_changed(now);
}

void TaskSupervisor::on_engine_up() {
    if (engine_ != EngineState::down) on_engine_down("it was lost for a moment");
    if (!had_tasks_) {
        engine_ = EngineState::up;
        return;
    }
    engine_ = EngineState::listing;
    calls_.find_containers(task_labels::arn, [this, number = ++listing_](
                                                 const Result<std::vector<DeployedContainer>>& containers) {
        if (number == listing_ && engine_ == EngineState::listing) listed(containers);
    });
}

void TaskSupervisor::listed(const Result<std::vector<DeployedContainer>>& containers) {
    if (!containers && is_outage(containers.error())) {
        listing_retry_ = alarms_.at(surroundings_->now() + std::chrono::seconds(1), [this] {
            if (engine_ == EngineState::listing) on_engine_up();
        });
        return;
    }
    engine_ = EngineState::up;
    if (!containers)
        log::warning("the containers of tasks are looked up by name: " + containers.error().message);
    const std::vector<DeployedContainer> none;
    for (const auto& [arn, actor] : tasks_)
        actor->engine_up(containers ? containers.value() : none);
    if (containers) find_left_over(containers.value());
}

// What was made for us when we were not there to hear of it, for a task that is no more. What has run is left
// to the administrator: the state may be an old copy.
void TaskSupervisor::find_left_over(const std::vector<DeployedContainer>& containers) {
    for (const DeployedContainer& container : containers) {
        const std::string* owner = label_of(container, task_labels::owner);
        if (owner == nullptr || *owner != owner_ || containers_.contains(container.id)) continue;
        if (container.state == DeployedContainer::State::created) {
            found_left_over(container.id);
        } else {
            log::warning("container " + printable(container.name) + " belongs to no task that is known");
        }
    }
}

void TaskSupervisor::found_left_over(const std::string& id) {
    log::info("removing container " + printable(id) + ", which was made for a task that is no more");
    calls_.remove(id, [id](const std::optional<EngineError>& error) {
        if (error && error->kind != EngineError::Kind::not_found)
            log::warning("container " + printable(id) + " is left over: " + error->message);
    });
}

void TaskSupervisor::on_engine_down(const std::string& why) {
    why_down_ = why;
    engine_ = EngineState::down;
    listing_retry_.reset();
    for (const auto& [arn, actor] : tasks_)
        actor->engine_down();
    calls_.lose(why);
}

void TaskSupervisor::on_container_started(const std::string& id) {
    const auto found = containers_.find(id);
    if (found == containers_.end()) return;
    if (const auto actor = found->second.first.lock()) actor->container_started(found->second.second);
}

void TaskSupervisor::on_container_exited(const std::string& id, std::optional<int> code,
                                         std::optional<bool> oom_killed, std::optional<RealTime> time) {
    const auto found = containers_.find(id);
    if (found == containers_.end()) return;
    if (const auto actor = found->second.first.lock())
        actor->container_exited(found->second.second, code, oom_killed, time);
}

}  // namespace shorewatch
