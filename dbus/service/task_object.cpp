#include "dbus/service/task_object.h"

#include <utility>
#include <vector>

#include "dbus/service/errors.h"
#include "dbus/service/object_paths.h"
#include "engines/support/text.h"
#include "engines/support/timestamp.h"

namespace shorewatch::bus {

TaskObject::TaskObject(sdbus::IConnection& connection, const ServiceContext& context, const TaskView& task)
    : AdaptorInterfaces(connection, task_path(task.arn)), context_(context), task_(task) {
    registerAdaptor();
}

TaskObject::~TaskObject() {
    unregisterAdaptor();
}

void TaskObject::announce_added() {
    getObject().emitInterfacesAddedSignal();
}

void TaskObject::announce_removed() {
    getObject().emitInterfacesRemovedSignal();
}

void TaskObject::update(const TaskView& task) {
    const TaskView before = std::exchange(task_, task);
    std::vector<PropertyName> changed;
    if (before.desired != task_.desired) changed.emplace_back("DesiredStatus");
    if (before.known != task_.known) changed.emplace_back("KnownStatus");
    if (before.reason != task_.reason) changed.emplace_back("Reason");
    if (before.stopped != task_.stopped) changed.emplace_back("StoppedAt");
    if (before.cleanup != task_.cleanup) changed.emplace_back("CleanupAt");
    if (before.containers != task_.containers) changed.emplace_back("Containers");
    if (!changed.empty()) getObject().emitPropertiesChangedSignal(INTERFACE_NAME, changed);
}

void TaskObject::act(sdbus::Result<>&& result, std::string doing, Act order) {
    answer([&] {
        // The object may have gone when it is decided.
        const auto allowed = [&context = context_, arn = task_.arn, order](LateResult<>&& permitted) {
            TaskEngine* const tasks = context.actions.tasks();
            if (tasks == nullptr)
                throw error(errors::no_such_task, "Tasks are switched off by the configuration");
            if (const auto failure = (tasks->*order)(arn)) throw error_of(*failure);
            const auto open = context.calls.keep(std::move(permitted));
            tasks->when_kept([open] { open.answer([] {}); });
        };
        context_.authority.require(
            getObject(),
            {.action = Action::run, .doing = std::move(doing), .engine = context_.actions.tasks_engine()},
            std::move(result), allowed);
    });
}

void TaskObject::Stop(sdbus::Result<>&& result) {
    act(std::move(result), "stop tasks", &TaskEngine::stop);
}

void TaskObject::Remove(sdbus::Result<>&& result) {
    act(std::move(result), "remove tasks", &TaskEngine::remove);
}

std::string TaskObject::Arn() {
    return answer([&] { return task_.arn; });
}

std::string TaskObject::Family() {
    return answer([&] { return task_.family; });
}

std::string TaskObject::Version() {
    return answer([&] { return task_.version; });
}

std::string TaskObject::File() {
    return answer([&] { return task_.file; });
}

uint64_t TaskObject::AddedAt() {
    return to_usec(task_.added);
}

std::string TaskObject::DesiredStatus() {
    return answer([&] { return std::string(to_string(task_.desired)); });
}

std::string TaskObject::KnownStatus() {
    return answer([&] { return std::string(to_string(task_.known)); });
}

std::string TaskObject::Reason() {
    return answer([&] { return task_.reason; });
}

uint64_t TaskObject::StoppedAt() {
    return to_usec(task_.stopped);
}

uint64_t TaskObject::CleanupAt() {
    return to_usec(task_.cleanup);
}

TaskContainers TaskObject::Containers() {
    return answer([&] { return containers_of(task_); });
}

}  // namespace shorewatch::bus
