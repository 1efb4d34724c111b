// A world for the task engine: an engine, a disk, a clock that goes when the test says so, a bus that is told
// and remembers, and a daemon that can die at any moment and come back.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "daemon/tasks/task_supervisor.h"
#include "tests/unit/task_engine_model.h"

namespace shorewatch::testing {

class TaskWorld final : private TaskEngineObserver {
  public:
    // Has a daemon, no engine yet.
    explicit TaskWorld(std::uint64_t seed = 1);
    ~TaskWorld();
    TaskWorld(const TaskWorld&) = delete;
    TaskWorld& operator=(const TaskWorld&) = delete;

    TaskEngineModel engine;
    TaskSettings settings = {};

    // The daemon.
    [[nodiscard]] TaskSupervisor& tasks() { return *supervisor_; }
    [[nodiscard]] TaskView task(const std::string& arn) { return supervisor_->find(arn).value(); }
    // Its arn; fails the test where it is refused.
    std::string add(const std::string& definition);
    // What was wrong with it; empty: nothing.
    std::string stop(const std::string& arn);
    std::string remove(const std::string& arn);
    // At once, as by kill -9. What it had asked of the engine may still be done there; what it was writing is
    // on disk or isn't.
    void die(bool write_arrives);
    void live();
    [[nodiscard]] bool lives() const { return supervisor_ != nullptr; }
    void with_observer(bool there);

    // The engine.
    void bring_up();    // and says so, on the loop
    void bring_down();  // answers all that is under way
    [[nodiscard]] bool is_up() const { return up_; }
    // The calls that are neither answered nor lost, in the order in which they were asked.
    [[nodiscard]] std::vector<EngineCallPtr> calls() const;
    [[nodiscard]] std::vector<EngineCallPtr> calls(CallKind kind) const;
    [[nodiscard]] std::size_t asked(CallKind kind) const;  // ever
    void answer(const EngineCallPtr& call);                // does it, too
    void refuse(const EngineCallPtr& call, EngineError::Kind kind, const std::string& message);
    bool deliver_news();  // the next; false: there are none

    // Time and the loop.
    [[nodiscard]] bool turn();        // what was posted next; false: nothing
    void turn_all();                  // until nothing is posted
    bool pass_time();                 // until the next alarm; false: there is none
    void pass(Clock::duration time);  // with all alarms on the way
    [[nodiscard]] Clock::time_point now() const { return now_; }
    void start_machine_anew() { boot_ += "'"; }

    // The disk.
    std::optional<std::string> disk;          // the state file
    std::optional<std::string> disk_trouble;  // why nothing can be written
    [[nodiscard]] bool is_saving() const { return save_.has_value(); }
    void finish_save(const std::optional<std::string>& error);
    [[nodiscard]] std::size_t saves() const { return saves_; }

    // All that is asked is done and answered, all is told and written, until nothing is left but time.
    void settle();

    // What was told.
    struct Told {
        std::string arn;
        std::string container;  // empty: the task
        TaskStatus status;

        bool operator==(const Told&) const = default;
    };
    std::vector<Told> told;            // in this and all earlier lives
    std::vector<std::string> removed;  // arns
    std::string problem;
    // The first rule that was broken; empty: none.
    [[nodiscard]] const std::string& broken() const { return broken_; }
    void note(const std::string& what) { history_ += what + "; "; }
    [[nodiscard]] const std::string& history() const { return history_; }

  private:
    class Surroundings;
    struct KnownContainer {
        TaskStatus told = TaskStatus::none;  // in this life, or before it as far as the disk knows
        std::size_t stops_when_stopped = 0;
    };
    struct KnownTask {
        TaskStatus told = TaskStatus::none;
        std::map<std::string, KnownContainer> containers;
    };

    void task_added(const TaskView& task) override;
    void container_status_changed(const TaskView& task, const TaskContainerView& container) override;
    void task_status_changed(const TaskView& task) override;
    void task_changed(const TaskView& task) override;
    void task_removed(const TaskView& task) override;
    void problem_changed(const std::string& now) override { problem = now; }

    void asked_call(const EngineCallPtr& call);
    void check_create(const ContainerPlan& plan);
    void check_view(const TaskView& task);
    void promise(const std::string& arn, TaskStatus desired);
    void check_promises(const std::vector<TaskRecord>& kept);
    void require(bool holds, const std::string& rule);

    std::mt19937_64 random_;
    std::unique_ptr<TaskSupervisor> supervisor_;
    std::deque<std::function<void()>> posted_;
    std::optional<Clock::time_point> wake_;
    std::function<void()> wake_what_;
    Clock::time_point now_{std::chrono::hours(1)};
    std::string boot_ = "boot";
    bool up_ = false;        // it is
    bool known_up_ = false;  // the daemon was told
    std::vector<EngineCallPtr> calls_;
    std::map<CallKind, std::size_t> asked_;
    struct Save {
        std::string text;
        TaskSurroundings::Saved saved;
    };
    std::optional<Save> save_;
    std::size_t saves_ = 0;
    bool was_full_ = false;
    std::map<std::string, KnownTask> known_;
    std::map<std::string, TaskStatus> promised_;      // what is kept of tasks, by what was answered
    std::map<std::string, Clock::time_point> pulls_;  // under way, by image
    std::string broken_;
    std::string history_;
};

}  // namespace shorewatch::testing
