#include "dbus/ctl/tasks/task_client.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "dbus/ctl/bus_call.h"
#include "engines/support/text.h"

namespace shorewatch::ctl {

namespace {

constexpr const char* properties_interface = "org.freedesktop.DBus.Properties";

TaskContainerInfo task_container_info(std::string name, const Properties& properties) {
    TaskContainerInfo container;
    container.name = std::move(name);
    container.image = value_or_empty<std::string>(properties, "Image");
    container.id = value_or_empty<std::string>(properties, "Id");
    container.engine_name = value_or_empty<std::string>(properties, "EngineName");
    container.desired = value_or_empty<std::string>(properties, "DesiredStatus");
    container.known = value_or_empty<std::string>(properties, "KnownStatus");
    container.waits_for = value_or_empty<std::string>(properties, "WaitsFor");
    container.reason = value_or_empty<std::string>(properties, "Reason");
    container.essential = find<bool>(properties, "Essential").value_or(true);
    container.position = value_or_empty<std::uint32_t>(properties, "Position");
    container.exit_code = find<std::int32_t>(properties, "ExitCode");
    container.oom_killed = value_or_empty<bool>(properties, "OOMKilled");
    container.started_at = value_or_empty<std::uint64_t>(properties, "StartedAt");
    container.finished_at = value_or_empty<std::uint64_t>(properties, "FinishedAt");
    return container;
}

std::string signal_rule(const char* member) {
    return fmt::format("type='signal',path='{}',interface='{}',member='{}'", tasks_path,
                       task_engine_interface, member);
}

// The daemon says of an object that is not there what is of no use to anybody.
CommandError explained(const CommandError& error, const std::string& doing, const std::string& name) {
    if (name != "org.freedesktop.DBus.Error.UnknownObject" &&
        name != "org.freedesktop.DBus.Error.UnknownMethod" &&
        name != "org.freedesktop.DBus.Error.UnknownInterface")
        return error;
    return {ExitCode::not_found,
            fmt::format("cannot {}: the daemon runs no tasks: it watches no engine of type "
                        "docker or podman, or its configuration has switched them off",
                        doing)};
}

}  // namespace

TaskInfo task_info(std::string path, Properties properties) {
    TaskInfo task;
    task.path = std::move(path);
    task.arn = value_or_empty<std::string>(properties, "Arn");
    task.family = value_or_empty<std::string>(properties, "Family");
    task.version = value_or_empty<std::string>(properties, "Version");
    task.file = value_or_empty<std::string>(properties, "File");
    task.desired = value_or_empty<std::string>(properties, "DesiredStatus");
    task.known = value_or_empty<std::string>(properties, "KnownStatus");
    task.reason = value_or_empty<std::string>(properties, "Reason");
    task.added_at = value_or_empty<std::uint64_t>(properties, "AddedAt");
    task.stopped_at = value_or_empty<std::uint64_t>(properties, "StoppedAt");
    task.cleanup_at = value_or_empty<std::uint64_t>(properties, "CleanupAt");
    for (const auto& [name, details] :
         value_or_empty<std::map<std::string, Properties>>(properties, "Containers"))
        task.containers.push_back(task_container_info(name, details));
    std::ranges::sort(task.containers, {}, &TaskContainerInfo::position);
    task.properties = std::move(properties);
    return task;
}

TaskClient::TaskClient(const BusClient& client)
    : client_(client),
      engine_(sdbus::createProxy(client.connection(), bus::ServiceName(service_name),
                                 sdbus::ObjectPath(tasks_path))) {}

template <typename... Results, typename... Arguments>
std::tuple<Results...> TaskClient::ask(const std::string& doing, const char* method, Right right,
                                       const Arguments&... arguments) const {
    const BusChoice& bus = client_.bus();
    try {
        return bus::call<Results...>(*engine_, task_engine_interface, method, call_options(bus),
                                     arguments...);
    } catch (const sdbus::Error& error) {
        throw explained(command_error(doing, error.getName(), error.getMessage(), bus.kind, right), doing,
                        error.getName());
    }
}

std::string TaskClient::add(const std::string& definition) const {
    const auto [path] = ask<sdbus::ObjectPath>("add the task", "AddTask", Right::run, definition);
    const auto proxy = sdbus::createProxy(client_.connection(), bus::ServiceName(service_name), path);
    return asked("read the task's name", client_.bus(), [&] {
        const auto [arn] =
            bus::call<sdbus::Variant>(*proxy, properties_interface, "Get", call_options(client_.bus()),
                                      std::string(task_interface), std::string("Arn"));
        return arn.get<std::string>();
    });
}

std::vector<TaskInfo> TaskClient::list() const {
    auto [rows] = ask<std::vector<ListedObject>>("list the tasks", "ListTasks", Right::read);
    std::vector<TaskInfo> tasks;
    for (ListedObject& row : rows)
        tasks.push_back(task_info(row.get<0>(), std::move(row.get<1>())));
    return tasks;
}

TaskInfo TaskClient::find(const std::string& name) const {
    std::vector<TaskInfo> fitting;
    for (TaskInfo& task : list()) {
        if (task.arn == name) return std::move(task);
        if (task.family == name || task.arn.starts_with(name)) fitting.push_back(std::move(task));
    }
    if (fitting.size() == 1) return std::move(fitting.front());
    if (fitting.empty()) {
        throw CommandError(
            ExitCode::not_found,
            fmt::format("there is no task '{}'; see shorewatchctl task list", printable(name)));
    }
    std::string names;
    for (const TaskInfo& task : fitting)
        names += (names.empty() ? "" : ", ") + printable(task.arn);
    throw CommandError(
        ExitCode::ambiguous,
        fmt::format("cannot tell which task is meant: '{}' could be any of {}; say more of its ARN",
                    printable(name), names));
}

void TaskClient::act(const std::string& name, const std::string& verb, const char* method) const {
    const TaskInfo task = find(name);
    const auto proxy = sdbus::createProxy(client_.connection(), bus::ServiceName(service_name),
                                          sdbus::ObjectPath(task.path));
    asked(
        fmt::format("{} task {}", verb, printable(task.arn)), client_.bus(),
        [&] { bus::call<>(*proxy, task_interface, method, call_options(client_.bus())); }, Right::run);
}

void TaskClient::stop(const std::string& name) const {
    act(name, "stop", "Stop");
}

void TaskClient::remove(const std::string& name) const {
    act(name, "remove", "Remove");
}

std::vector<ImageInfo> TaskClient::images() const {
    using Row =
        sdbus::Struct<std::string, std::vector<std::string>, std::uint64_t, std::uint64_t, Properties>;
    auto [rows] = ask<std::vector<Row>>("list the images", "ListImages", Right::inspect);
    std::vector<ImageInfo> images;
    images.reserve(rows.size());
    for (Row& row : rows)
        images.push_back({std::move(row.get<0>()), std::move(row.get<1>()), row.get<2>(), row.get<3>()});
    return images;
}

std::string TaskClient::export_state() const {
    return std::get<0>(ask<std::string>("export the state of tasks", "ExportState", Right::inspect));
}

std::string TaskClient::problem() const {
    return asked("read what is wrong with tasks", client_.bus(), [&] {
        const auto [problem] =
            bus::call<sdbus::Variant>(*engine_, properties_interface, "Get", call_options(client_.bus()),
                                      std::string(task_engine_interface), std::string("Problem"));
        return problem.get<std::string>();
    });
}

TaskEvents::TaskEvents(sdbus::IConnection& connection, std::function<void(const TaskEvent&)> on_event,
                       std::function<void()> on_return)
    : on_event_(std::move(on_event)),
      owner_(connection, std::move(on_return)),
      task_match_(bus::add_match(connection, signal_rule("TaskStateChanged"),
                                 [this](sdbus::Message& message) { take(message, false); })),
      container_match_(bus::add_match(connection, signal_rule("ContainerStateChanged"),
                                      [this](sdbus::Message& message) { take(message, true); })) {}

TaskEvents::~TaskEvents() = default;

// What is not as it should be is passed over.
void TaskEvents::take(sdbus::Message& message, bool of_container) {
    if (!owner_.sent(message)) return;
    TaskEvent event;
    sdbus::ObjectPath path;
    try {
        message >> event.arn;
        if (of_container) message >> event.container;
        message >> event.status;
        if (!of_container) message >> event.reason;
        message >> path >> event.sequence >> event.details;
    } catch (const sdbus::Error&) {
        return;
    }
    event.path = path;
    on_event_(event);
}

}  // namespace shorewatch::ctl
