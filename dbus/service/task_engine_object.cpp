#include "dbus/service/task_engine_object.h"

#include <utility>
#include <variant>

#include "dbus/service/engine_errors.h"
#include "dbus/service/errors.h"
#include "dbus/service/object_paths.h"
#include "dbus/service/task_values.h"
#include "engines/support/text.h"
#include "engines/support/timestamp.h"

namespace shorewatch::bus {

namespace {

// The one there is when something was decided, which may take as long as somebody types a password.
TaskEngine& engine_of(DaemonActions& actions) {
    if (TaskEngine* const tasks = actions.tasks()) return *tasks;
    throw error(errors::engine_unavailable, "Tasks are switched off by the configuration");
}

}  // namespace

TaskEngineObject::TaskEngineObject(sdbus::IConnection& connection, const ServiceContext& context,
                                   TaskEngine& tasks, std::uint64_t& sequence)
    : AdaptorInterfaces(connection, sdbus::ObjectPath(tasks_path)),
      context_(context),
      tasks_(tasks),
      sequence_(sequence) {
    registerAdaptor();
}

TaskEngineObject::~TaskEngineObject() {
    unregisterAdaptor();
}

void TaskEngineObject::announce_added() {
    getObject().emitInterfacesAddedSignal();
}

void TaskEngineObject::announce_removed() {
    getObject().emitInterfacesRemovedSignal();
}

void TaskEngineObject::announce_status(const TaskView& task, const TaskContainerView& container) {
    emitContainerStateChanged(task.arn, container.name, std::string(to_string(container.known)),
                              task_path(task.arn), ++sequence_, details_of(task, container));
}

void TaskEngineObject::announce_status(const TaskView& task) {
    const Dictionary details = {{"DesiredStatus", sdbus::Variant(std::string(to_string(task.desired)))}};
    emitTaskStateChanged(task.arn, std::string(to_string(task.known)), task.reason, task_path(task.arn),
                         ++sequence_, details);
}

void TaskEngineObject::announce_problem() {
    getObject().emitPropertiesChangedSignal(INTERFACE_NAME, {PropertyName("Problem")});
}

void TaskEngineObject::invalidate_total() {
    getObject().emitPropertiesChangedSignal(INTERFACE_NAME, {PropertyName("TaskTotal")});
}

void TaskEngineObject::AddTask(sdbus::Result<sdbus::ObjectPath>&& result, std::string task_definition_json) {
    answer([&] {
        // Credentials may be in it.
        wipe_current_message(getObject());
        const auto allowed = [&context = context_, json = std::move(task_definition_json)](
                                 LateResult<sdbus::ObjectPath>&& permitted) {
            TaskEngine& tasks = engine_of(context.actions);
            const auto added = tasks.add(json);
            if (const auto* const failure = std::get_if<TaskError>(&added)) throw error_of(*failure);
            const auto open = context.calls.keep(std::move(permitted));
            tasks.when_kept([open, path = task_path(std::get<std::string>(added))] {
                open.answer([&] { return path; });
            });
        };
        context_.authority.require(
            getObject(),
            {.action = Action::run, .doing = "add tasks", .engine = context_.actions.tasks_engine()},
            std::move(result), allowed);
    });
}

std::vector<TaskEngineObject::TaskRow> TaskEngineObject::ListTasks() {
    return answer([&] {
        std::vector<TaskRow> rows;
        for (const TaskView& task : tasks_.list())
            rows.emplace_back(task_path(task.arn), properties_of(task));
        return rows;
    });
}

sdbus::ObjectPath TaskEngineObject::GetTask(const std::string& arn) {
    return answer([&] {
        if (tasks_.find(arn)) return task_path(arn);
        throw error(errors::no_such_task, "No task '" + printable(arn) + "'");
    });
}

void TaskEngineObject::ListImages(sdbus::Result<std::vector<ImageRow>>&& result) {
    answer([&] {
        const auto allowed = [&context = context_](LateResult<std::vector<ImageRow>>&& permitted) {
            TaskEngine& tasks = engine_of(context.actions);
            const auto open = context.calls.keep(std::move(permitted));
            tasks.list_images([open](const Result<std::vector<DeployedImage>>& images) {
                open.answer([&] {
                    if (!images) throw error_of(images.error());
                    std::vector<ImageRow> rows;
                    rows.reserve(images.value().size());
                    for (const DeployedImage& image : images.value())
                        rows.emplace_back(image.id, image.names, image.size, to_usec(image.created),
                                          Dictionary());
                    return rows;
                });
            });
        };
        context_.authority.require(
            getObject(),
            {.action = Action::inspect, .doing = "list images", .engine = context_.actions.tasks_engine()},
            std::move(result), allowed);
    });
}

void TaskEngineObject::ExportState(sdbus::Result<std::string>&& result) {
    answer([&] {
        context_.authority.require(
            getObject(), {.action = Action::inspect, .doing = "export the state of tasks"}, std::move(result),
            [&actions = context_.actions] { return engine_of(actions).export_state(); });
    });
}

std::string TaskEngineObject::Engine() {
    return answer([&] { return context_.actions.tasks_engine(); });
}

std::string TaskEngineObject::Problem() {
    return answer([&] { return tasks_.problem(); });
}

uint32_t TaskEngineObject::TaskTotal() {
    return answer([&] { return static_cast<uint32_t>(tasks_.list().size()); });
}

uint64_t TaskEngineObject::Sequence() {
    return sequence_;
}

}  // namespace shorewatch::bus
