// One task, on its way to where it is wanted: its containers, each with at most one call to the engine under
// way, and what is kept of them.
//
// A turn looks at all containers and does for each the next thing that can be done; whatever happens asks for
// a turn. Nothing waits in line for the engine: what is wanted can change while any call is under way, and an
// answer that nobody waits for any more changes nothing but what is known.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "daemon/tasks/alarms.h"
#include "daemon/tasks/engine_calls.h"
#include "daemon/tasks/pull_desk.h"
#include "daemon/tasks/state_saver.h"
#include "daemon/tasks/surroundings.h"
#include "daemon/tasks/task_engine.h"
#include "daemon/tasks/task_record.h"

namespace shorewatch {

class TaskActor;

// What actors share, and whom they tell.
class TaskHouse {
  public:
    [[nodiscard]] virtual EngineCalls& calls() = 0;
    [[nodiscard]] virtual PullDesk& pulls() = 0;
    [[nodiscard]] virtual Alarms& alarms() = 0;
    [[nodiscard]] virtual TaskSurroundings& surroundings() = 0;

    // Can the engine be asked? Not: what it waits for, as in "the engine to be back: no such socket".
    [[nodiscard]] virtual bool engine_is_up() const = 0;
    [[nodiscard]] virtual std::string engine_awaited() const = 0;
    // Of labels.
    [[nodiscard]] virtual const std::string& owner() const = 0;
    // For tasks that bring none.
    [[nodiscard]] virtual std::optional<RegistryCredentials> credentials_of(
        const std::string& registry) const = 0;
    [[nodiscard]] virtual std::chrono::seconds cleanup_after() const = 0;
    // What is kept of tasks has changed; the number of the change.
    [[nodiscard]] virtual StateSaver::Number keep() = 0;
    // Would a daemon that begins now know of it? Also true where nothing can be written.
    [[nodiscard]] virtual bool is_kept(StateSaver::Number change) const = 0;

    // It has another status, or another id; told before the next.
    virtual void container_reached(TaskActor& task, std::size_t container) = 0;
    virtual void container_identified(TaskActor& task, std::size_t container) = 0;
    virtual void task_reached(TaskActor& task) = 0;
    // Something else of its record is another; of its view alone.
    virtual void task_changed(TaskActor& task) = 0;
    virtual void task_looks_different(TaskActor& task) = 0;
    // There is nothing left of it.
    virtual void task_over(TaskActor& task) = 0;
    // A container was made that no task has.
    virtual void found_left_over(const std::string& id) = 0;

  protected:
    ~TaskHouse() = default;
};

class TaskActor : public std::enable_shared_from_this<TaskActor> {
  public:
    // restored: from what was kept; the engine may know more of it than the record. house outlives it.
    TaskActor(TaskHouse& house, TaskRecord record, bool restored);
    TaskActor(const TaskActor&) = delete;
    TaskActor& operator=(const TaskActor&) = delete;
    ~TaskActor();

    [[nodiscard]] const TaskRecord& record() const noexcept { return record_; }
    [[nodiscard]] TaskView view() const;
    // That of one container.
    [[nodiscard]] TaskContainerView view_of(std::size_t index) const;
    // The observer was told what is known of the container, or of the task.
    void mark_told(std::size_t container);
    void mark_told();

    // Asks for a turn: something it goes by is another.
    void wake();
    // Something was written: that may be what it waits for.
    void saved();

    // It is to stop; reason: why, where it was not asked for.
    void stop(const std::string& reason);
    // As stop(), and nothing is to be left of it.
    void remove(const std::string& reason);
    void take_credentials(const CredentialsByRegistry& credentials);

    // The engine can be asked again. listed: the containers of all tasks.
    void engine_up(const std::vector<DeployedContainer>& listed);
    // What was asked will not be answered, or is not believed.
    void engine_down();
    void container_started(std::size_t index);
    void container_exited(std::size_t index, std::optional<int> code, std::optional<bool> oom_killed,
                          std::optional<RealTime> time);

  private:
    // What is under way for a container. pause: until the next attempt.
    enum class Step { rest, pull, look_for_image, make_volume, create, start, stop, inspect, remove, pause };
    struct Progress {
        Step step = Step::rest;
        std::uint64_t call = 0;  // the one whose answer is awaited; 0: none
        PullDesk::Ticket ticket = 0;
        Alarm retry;
        Clock::duration pause{};     // before the next attempt
        std::string trouble;         // what made the attempt before fail
        bool may_exist = false;      // at the engine under its name, though no id is known
        bool unsure = false;         // to be inspected before anything else
        bool name_taken = false;     // so said the engine, when it was to be made
        bool was_stopped = false;    // so said the engine
        bool runs_again = false;     // though it has stopped
        bool image_missing = false;  // though it was pulled
        bool pulled_again = false;
    };
    using Member = void (TaskActor::*)(std::size_t, const std::optional<EngineError>&);

    void turn();
    void advance(std::size_t index);
    void rise(std::size_t index);
    void bring_down(std::size_t index);
    void give_up_preparing(std::size_t index);
    void stop_if_stalled();

    // task_actor_calls.cpp: what is asked of the engine, and its answers.
    [[nodiscard]] std::uint64_t begin(std::size_t index, Step step);
    [[nodiscard]] bool ends(std::size_t index, std::uint64_t call);
    [[nodiscard]] EngineCalls::Done answer_to(std::size_t index, Step step, Member member);
    void pull(std::size_t index);
    void pulled(std::size_t index, const std::optional<EngineError>& error);
    void looked_for_image(std::size_t index, const std::optional<EngineError>& error);
    [[nodiscard]] bool make_volumes(std::size_t index);
    void volume_made(std::size_t index, const std::optional<EngineError>& error);
    void make_volume(std::size_t index, std::size_t volume);
    void create(std::size_t index);
    void created(std::size_t index, const Result<std::string>& answer);
    void created_late(std::size_t index, const std::string& id);
    void start(std::size_t index);
    void started(std::size_t index, const std::optional<EngineError>& error);
    void stop_container(std::size_t index);
    void stopped(std::size_t index, const std::optional<EngineError>& error);
    void stopped_again(std::size_t index, const std::optional<EngineError>& error);
    // Once more after a pause, which gets longer each time.
    void later(std::size_t index, const std::string& trouble);
    void abandon(std::size_t index);
    // It can't be brought up: it is to stop.
    void fail(std::size_t index, const std::string& reason);

    // task_actor_sync.cpp: what the engine says of containers.
    void inspect(std::size_t index);
    void inspected(std::size_t index, const Result<DeployedContainer>& answer);
    void take(std::size_t index, const DeployedContainer& found);
    void take_facts(std::size_t index, const DeployedContainer& found);
    void ask_details(std::size_t index);
    void identify(std::size_t index, const std::string& id);
    void vanish(std::size_t index);
    void reach(std::size_t index, TaskStatus status);
    void reach_task();

    // task_actor_cleanup.cpp
    [[nodiscard]] bool is_time_to_clean();
    void clean();
    void clean_container(std::size_t index);
    void removed(std::size_t index, const std::optional<EngineError>& error);
    void clean_volumes();
    void volume_removed(std::size_t volume, const std::optional<EngineError>& error);
    void reset_volume_call();

    // task_actor_view.cpp
    [[nodiscard]] std::string waits_for(std::size_t index) const;
    [[nodiscard]] std::string waits_for_cleanup(std::size_t index) const;
    [[nodiscard]] std::string waits_for_start(std::size_t index) const;

    // task_dependencies.cpp: whether others let a container move.
    enum class Outlook { met, open, never };
    [[nodiscard]] Outlook outlook_of(const ContainerDependency& dependency) const;
    [[nodiscard]] const ContainerDependency* blocking(std::size_t index) const;
    [[nodiscard]] bool is_hopeless(std::size_t index) const;
    [[nodiscard]] std::string describe(const ContainerDependency& dependency) const;

    [[nodiscard]] const ContainerDefinition& definition(std::size_t index) const {
        return record_.definition->containers[index];
    }
    [[nodiscard]] std::string engine_name(std::size_t index) const {
        return record_.engine_name(definition(index).name);
    }
    [[nodiscard]] bool wants_stop(std::size_t index) const {
        return record_.desired >= TaskStatus::stopped || record_.containers[index].given_up;
    }
    void changed() { house_.task_changed(*this); }
    void looks_different() { house_.task_looks_different(*this); }

    TaskHouse& house_;
    TaskRecord record_;
    std::vector<Progress> progress_;  // as the definition's containers
    std::uint64_t last_call_ = 0;
    bool turn_is_due_ = false;
    // The last change that has to be kept before the engine is asked for anything that follows from it: a
    // daemon that knows less would make what was made, or what was removed.
    StateSaver::Number to_be_kept_ = 0;
    Alarm cleanup_;
    // Of the definition's volumes.
    struct VolumeProgress {
        bool made = false;       // in this life of the daemon
        bool may_exist = false;  // at the engine
        std::size_t asked = 0;   // for it, and not answered yet: it may still be made
    };
    std::vector<VolumeProgress> volumes_;
    // The removal of a volume: as Progress.
    std::uint64_t volume_call_ = 0;
    Alarm volume_retry_;
    Clock::duration volume_pause_{};
    std::string volume_trouble_;
    bool over_ = false;
};

}  // namespace shorewatch
