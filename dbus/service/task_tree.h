// The objects of the task engine and its tasks, for the life of one connection, or of the task engine.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>

#include "daemon/tasks/task_engine.h"
#include "dbus/service/bus_connection.h"
#include "dbus/service/service_context.h"
#include "dbus/service/task_engine_object.h"
#include "dbus/service/task_object.h"

namespace shorewatch::bus {

class TaskTree final : private TaskEngineObserver {
  public:
    // Becomes the observer of tasks, and so tells what was never told. announce: clients know of this
    // connection. All of them outlive the tree.
    TaskTree(BusConnection& bus, const ServiceContext& context, TaskEngine& tasks, std::uint64_t& sequence,
             bool announce);
    ~TaskTree();
    TaskTree(const TaskTree&) = delete;
    TaskTree& operator=(const TaskTree&) = delete;

    [[nodiscard]] bool is_of(const TaskEngine* tasks) const noexcept { return tasks == &tasks_; }
    // The task engine goes: tells that all of it is gone.
    void announce_removed();
    // Sends what was collected.
    void flush();

  private:
    // Has the task's object show it as it is.
    void show(const TaskView& task);

    void task_added(const TaskView& task) override;
    void container_status_changed(const TaskView& task, const TaskContainerView& container) override;
    void task_status_changed(const TaskView& task) override;
    void task_changed(const TaskView& task) override;
    void task_removed(const TaskView& task) override;
    void problem_changed(const std::string& problem) override;

    BusConnection& bus_;
    const ServiceContext& context_;
    TaskEngine& tasks_;
    bool announce_;
    bool total_invalid_ = false;
    std::unique_ptr<TaskEngineObject> engine_;
    std::map<std::string, std::unique_ptr<TaskObject>> objects_;  // by arn
};

}  // namespace shorewatch::bus
