#include "tests/unit/task_world.h"

#include <algorithm>
#include <utility>
#include <variant>

#include "tests/unit/catch.h"

namespace shorewatch::testing {

namespace {

using Kind = EngineError::Kind;

std::string text_of(TaskStatus status) {
    return std::string(to_string(status));
}

}  // namespace

class TaskWorld::Surroundings final : public TaskSurroundings {
  public:
    explicit Surroundings(TaskWorld& world) : world_(world) {}

    [[nodiscard]] Clock::time_point now() const override { return world_.now_; }
    [[nodiscard]] RealTime real_now() const override {
        return RealTime(std::chrono::hours(400'000) + world_.now_.time_since_epoch());
    }
    void wake_at(Clock::time_point when, std::function<void()> what) override {
        world_.wake_ = when;
        world_.wake_what_ = std::move(what);
    }
    void post(std::function<void()> what) override { world_.posted_.push_back(std::move(what)); }
    [[nodiscard]] std::string random_hex(std::size_t digits) override {
        std::string text;
        for (std::size_t digit = 0; digit < digits; ++digit)
            text += "0123456789abcdef"[world_.random_() % 16];
        return text;
    }
    [[nodiscard]] std::string boot_id() const override { return world_.boot_; }
    void save(std::string state, Saved saved) override {
        world_.require(!world_.save_, "two writes of the state at a time");
        ++world_.saves_;
        world_.save_ = Save{std::move(state), std::move(saved)};
    }

  private:
    TaskWorld& world_;
};

TaskWorld::TaskWorld(std::uint64_t seed) : random_(seed) {
    engine.pullable = {"db", "web", "job"};
    engine.on_call = [this](const EngineCallPtr& call) { asked_call(call); };
    live();
}

TaskWorld::~TaskWorld() {
    save_.reset();
    supervisor_.reset();
}

void TaskWorld::require(bool holds, const std::string& rule) {
    if (!holds && broken_.empty()) {
        broken_ = rule;
        note("BROKEN: " + rule);
    }
}

// What is known of what was told is what the disk says of it.
void TaskWorld::live() {
    note("live");
    TaskSupervisor::Kept kept;
    known_.clear();
    if (disk) kept.state = read_task_state(*disk);
    check_promises(kept.state.tasks);
    for (const TaskRecord& record : kept.state.tasks) {
        KnownTask& known = known_[record.arn];
        known.told = record.told;
        for (std::size_t index = 0; index < record.containers.size(); ++index)
            known.containers[record.definition->containers[index].name].told = record.containers[index].told;
    }
    supervisor_ = std::make_unique<TaskSupervisor>(std::make_unique<Surroundings>(*this), engine, settings,
                                                   std::move(kept));
    with_observer(true);
    if (up_) bring_up();
}

void TaskWorld::with_observer(bool there) {
    TaskEngineObserver& observer = *this;
    supervisor_->set_observer(there ? &observer : nullptr);
}

void TaskWorld::die(bool write_arrives) {
    note("die");
    if (save_ && write_arrives) disk = save_->text;
    save_.reset();
    // It has no last will: what its end writes is not written.
    supervisor_.reset();
    save_.reset();
    engine.forget_observer();
    posted_.clear();
    wake_.reset();
    wake_what_ = {};
    calls_.clear();
    pulls_.clear();
    engine.news.clear();
    known_up_ = false;
}

std::string TaskWorld::add(const std::string& definition) {
    const auto added = supervisor_->add(definition);
    if (const auto* error = std::get_if<TaskError>(&added)) FAIL(error->message);
    promise(std::get<std::string>(added), TaskStatus::running);
    return std::get<std::string>(added);
}

std::string TaskWorld::stop(const std::string& arn) {
    if (const auto error = supervisor_->stop(arn)) return error->message;
    promise(arn, TaskStatus::stopped);
    return {};
}

std::string TaskWorld::remove(const std::string& arn) {
    if (const auto error = supervisor_->remove(arn)) return error->message;
    promise(arn, TaskStatus::dead);
    return {};
}

void TaskWorld::promise(const std::string& arn, TaskStatus desired) {
    supervisor_->when_kept([this, arn, desired] {
        const auto task = supervisor_->find(arn);
        if (task) promised_[arn] = std::max(desired, promised_[arn]);
    });
}

void TaskWorld::check_promises(const std::vector<TaskRecord>& kept) {
    // Where nothing could be written, that was told instead.
    if (was_full_) return;
    for (const auto& [arn, desired] : promised_) {
        const auto record = std::ranges::find(kept, arn, &TaskRecord::arn);
        require(record != kept.end(), "task " + arn + " is forgotten after it was answered to be kept");
        if (record != kept.end()) {
            const TaskStatus wanted = record->remove_now ? TaskStatus::dead : record->desired;
            require(wanted >= desired, "task " + arn + " was answered to become " + text_of(desired) +
                                           ", and is wanted to be " + text_of(wanted));
        }
    }
}

void TaskWorld::bring_up() {
    up_ = true;
    posted_.emplace_back([this] {
        if (!up_ || known_up_) return;
        note("up");
        known_up_ = true;
        engine.observer()->on_engine_up();
    });
}

void TaskWorld::bring_down() {
    up_ = false;
    engine.news.clear();
    for (const EngineCallPtr& call : std::exchange(calls_, {})) {
        posted_.emplace_back([call] {
            if (!call->answered) TaskEngineModel::refuse(*call, Kind::unreachable, "the engine is gone");
        });
    }
    pulls_.clear();
    posted_.emplace_back([this] {
        if (up_ || !known_up_) return;
        note("down");
        known_up_ = false;
        engine.observer()->on_engine_down("the engine is gone");
    });
}

std::vector<EngineCallPtr> TaskWorld::calls() const {
    return calls_;
}

std::vector<EngineCallPtr> TaskWorld::calls(CallKind kind) const {
    std::vector<EngineCallPtr> some;
    std::ranges::copy_if(calls_, std::back_inserter(some),
                         [kind](const EngineCallPtr& call) { return call->kind == kind; });
    return some;
}

std::size_t TaskWorld::asked(CallKind kind) const {
    const auto found = asked_.find(kind);
    return found == asked_.end() ? 0 : found->second;
}

void TaskWorld::answer(const EngineCallPtr& call) {
    std::erase(calls_, call);
    if (call->kind == CallKind::pull) pulls_.erase(call->subject);
    TaskEngineModel::perform(*call);
    note(std::string("answer ") + name_of(call->kind) + " " + call->subject);
    TaskEngineModel::answer(*call);
}

void TaskWorld::refuse(const EngineCallPtr& call, Kind kind, const std::string& message) {
    std::erase(calls_, call);
    if (call->kind == CallKind::pull) pulls_.erase(call->subject);
    note(std::string("refuse ") + name_of(call->kind) + " " + call->subject);
    TaskEngineModel::refuse(*call, kind, message);
}

bool TaskWorld::deliver_news() {
    if (engine.news.empty() || !known_up_) return false;
    const EngineNews news = engine.news.front();
    engine.news.pop_front();
    note((news.exit_code ? "exited " : "started ") + news.id);
    if (news.exit_code) {
        engine.observer()->on_container_exited(news.id, news.exit_code, false, std::nullopt);
    } else {
        engine.observer()->on_container_started(news.id);
    }
    return true;
}

bool TaskWorld::turn() {
    if (posted_.empty()) return false;
    const std::function<void()> next = std::move(posted_.front());
    posted_.pop_front();
    next();
    return true;
}

void TaskWorld::turn_all() {
    constexpr std::size_t most = 200'000;
    std::size_t turns = 0;
    while (turn()) {
        if (++turns > most) FAIL("the loop never comes to rest: " + history_.substr(0, 3000));
    }
}

bool TaskWorld::pass_time() {
    if (!wake_) return false;
    now_ = std::max(now_, *wake_);
    wake_.reset();
    const std::function<void()> what = std::exchange(wake_what_, {});
    what();
    return true;
}

void TaskWorld::pass(Clock::duration time) {
    const Clock::time_point until = now_ + time;
    turn_all();
    while (wake_ && *wake_ <= until) {
        pass_time();
        turn_all();
    }
    now_ = until;
}

void TaskWorld::finish_save(const std::optional<std::string>& error) {
    const Save save = std::move(*save_);
    save_.reset();
    if (!error) disk = save.text;
    was_full_ = was_full_ || error;
    save.saved(error);
}

void TaskWorld::settle() {
    constexpr std::size_t most = 200'000;
    for (std::size_t step = 0; step < most; ++step) {
        if (turn() || deliver_news()) continue;
        if (!calls_.empty()) {
            answer(EngineCallPtr(calls_.front()));
        } else if (save_) {
            finish_save(disk_trouble);
        } else if (wake_ && *wake_ <= now_ + std::chrono::seconds(2)) {
            pass_time();
        } else {
            return;
        }
    }
    FAIL("it never comes to rest: " + history_.substr(0, 3000));
}

void TaskWorld::asked_call(const EngineCallPtr& call) {
    note(std::string("ask ") + name_of(call->kind) + " " + call->subject);
    ++asked_[call->kind];
    require(known_up_, "the engine is asked though it is gone");
    calls_.push_back(call);
    if (!up_) {
        // It is gone, and the daemon has yet to hear of it.
        std::erase(calls_, call);
        posted_.emplace_back(
            [call] { TaskEngineModel::refuse(*call, Kind::unreachable, "the engine is gone"); });
    }
    if (call->kind == CallKind::pull) {
        const auto under_way = pulls_.find(call->subject);
        require(under_way == pulls_.end() || now_ - under_way->second >= std::chrono::hours(2),
                "an image is pulled twice at a time");
        if (up_) pulls_[call->subject] = now_;
    }
    if (call->kind == CallKind::create) check_create(*call->plan);
}

// Others as far as they have to be, as was told.
void TaskWorld::check_create(const ContainerPlan& plan) {
    const auto label = [&](const char* key) {
        const auto found = std::ranges::find(plan.labels, key, &StringPairs::value_type::first);
        return found == plan.labels.end() ? std::string() : found->second;
    };
    const std::string arn = label(task_labels::arn);
    // A daemon that begins now knows of it, unless nothing can be written.
    if (!was_full_) {
        require(disk && disk->find("\"" + plan.name + "\"") != std::string::npos,
                "container " + plan.name + " is made before its name is on disk");
    }
    const TaskState state = read_task_state(supervisor_->export_state());
    const auto task = std::ranges::find(state.tasks, arn, &TaskRecord::arn);
    if (task == state.tasks.end()) return require(false, "a container is made for no task");
    const auto& containers = task->definition->containers;
    const auto self =
        std::ranges::find(containers, label(task_labels::container), &ContainerDefinition::name);
    for (const ContainerDependency& dependency : self->dependencies) {
        const TaskStatus status = known_[arn].containers[containers[dependency.container].name].told;
        bool met = false;
        switch (dependency.condition) {
            case ContainerDependency::Condition::created:
                met = status >= TaskStatus::created;
                break;
            case ContainerDependency::Condition::running:
                met = status == TaskStatus::running;
                break;
            case ContainerDependency::Condition::ended:
            case ContainerDependency::Condition::success:
                met = status >= TaskStatus::stopped;
                break;
        }
        require(met, "container " + plan.name + " is made before " + containers[dependency.container].name +
                         " is as it has to be");
    }
}

void TaskWorld::task_added(const TaskView& task) {
    for (const TaskContainerView& container : task.containers)
        known_[task.arn].containers.try_emplace(container.name);
}

void TaskWorld::container_status_changed(const TaskView& task, const TaskContainerView& container) {
    note("told " + task.arn + "/" + container.name + " " + text_of(container.known));
    told.push_back({task.arn, container.name, container.known});
    KnownContainer& known = known_[task.arn].containers[container.name];
    require(container.known > known.told, "container " + container.name + " is told to be " +
                                              text_of(container.known) + " after " + text_of(known.told));
    known.told = container.known;
    check_view(task);
}

void TaskWorld::task_status_changed(const TaskView& task) {
    note("told " + task.arn + " " + text_of(task.known));
    told.push_back({task.arn, "", task.known});
    KnownTask& known = known_[task.arn];
    require(task.known > known.told,
            "task " + task.arn + " is told to be " + text_of(task.known) + " after " + text_of(known.told));
    known.told = task.known;
    for (const TaskContainerView& container : task.containers) {
        require(known.containers[container.name].told >= task.known,
                "task " + task.arn + " is told before its container " + container.name);
    }
    check_view(task);
}

void TaskWorld::task_changed(const TaskView& task) {
    check_view(task);
    for (const TaskContainerView& container : task.containers) {
        const bool there = container.known >= std::min(container.desired, TaskStatus::stopped);
        require(there || !container.waits_for.empty(),
                "nobody says what container " + container.name + " of " + task.arn + " waits for");
    }
}

void TaskWorld::check_view(const TaskView& task) {
    TaskStatus least = TaskStatus::dead;
    for (const TaskContainerView& container : task.containers)
        least = std::min(least, container.known);
    // The task's own follows its containers'.
    require(task.known <= least, "task " + task.arn + " is further than its containers");
}

void TaskWorld::task_removed(const TaskView& task) {
    note("removed " + task.arn);
    require(known_[task.arn].told == TaskStatus::dead, "task " + task.arn + " is removed before it is dead");
    removed.push_back(task.arn);
    promised_.erase(task.arn);
    known_.erase(task.arn);
}

}  // namespace shorewatch::testing
