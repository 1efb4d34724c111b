#include "dbus/service/task_tree.h"

#include <utility>

namespace shorewatch::bus {

TaskTree::TaskTree(BusConnection& bus, const ServiceContext& context, TaskEngine& tasks,
                   std::uint64_t& sequence, bool announce)
    : bus_(bus), context_(context), tasks_(tasks), announce_(announce) {
    bus_.attempt("publish the task engine", [&] {
        engine_ = std::make_unique<TaskEngineObject>(bus_.get(), context_, tasks_, sequence);
        if (announce_) engine_->announce_added();
    });
    if (engine_) tasks_.set_observer(this);
    announce_ = true;
    total_invalid_ = false;
}

TaskTree::~TaskTree() {
    tasks_.set_observer(nullptr);
}

void TaskTree::announce_removed() {
    tasks_.set_observer(nullptr);
    for (const auto& [arn, object] : objects_)
        bus_.attempt("withdraw a task", [&] { object->announce_removed(); });
    if (engine_) bus_.attempt("withdraw the task engine", [&] { engine_->announce_removed(); });
}

void TaskTree::task_added(const TaskView& task) {
    bus_.attempt("publish a task", [&] {
        auto object = std::make_unique<TaskObject>(bus_.get(), context_, task);
        if (announce_) object->announce_added();
        objects_.insert_or_assign(task.arn, std::move(object));
    });
    total_invalid_ = true;
}

void TaskTree::container_status_changed(const TaskView& task, const TaskContainerView& container) {
    show(task);
    bus_.attempt("tell of a container's status", [&] { engine_->announce_status(task, container); });
}

void TaskTree::task_status_changed(const TaskView& task) {
    show(task);
    bus_.attempt("tell of a task's status", [&] { engine_->announce_status(task); });
}

void TaskTree::task_changed(const TaskView& task) {
    show(task);
}

void TaskTree::show(const TaskView& task) {
    const auto found = objects_.find(task.arn);
    if (found == objects_.end()) return;
    bus_.attempt("tell of a task's properties", [&] { found->second->update(task); });
}

void TaskTree::task_removed(const TaskView& task) {
    const auto found = objects_.find(task.arn);
    if (found == objects_.end()) return;
    bus_.attempt("withdraw a task", [&] { found->second->announce_removed(); });
    objects_.erase(found);
    total_invalid_ = true;
}

void TaskTree::problem_changed(const std::string&) {
    bus_.attempt("tell of a problem with tasks", [&] { engine_->announce_problem(); });
}

void TaskTree::flush() {
    if (std::exchange(total_invalid_, false) && engine_)
        bus_.attempt("tell of the number of tasks", [&] { engine_->invalidate_total(); });
}

}  // namespace shorewatch::bus
