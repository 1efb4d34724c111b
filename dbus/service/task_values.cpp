#include "dbus/service/task_values.h"

#include <cstdint>
#include <vector>

#include "dbus/service/errors.h"
#include "engines/support/timestamp.h"

namespace shorewatch::bus {

namespace {

using PortRow = sdbus::Struct<std::uint16_t, std::uint16_t, std::string>;

sdbus::Variant text(std::string_view value) {
    return sdbus::Variant(std::string(value));
}

std::vector<PortRow> rows_of(const std::vector<PortMapping>& ports) {
    std::vector<PortRow> rows;
    rows.reserve(ports.size());
    for (const PortMapping& port : ports) {
        rows.emplace_back(port.container_port, port.host_port,
                          port.protocol == PortMapping::Protocol::udp ? "udp" : "tcp");
    }
    return rows;
}

const char* name_of(TaskError::Kind kind) {
    switch (kind) {
        case TaskError::Kind::invalid_spec:
            return errors::invalid_spec;
        case TaskError::Kind::no_such_task:
            return errors::no_such_task;
        case TaskError::Kind::conflict:
            return errors::conflict;
        case TaskError::Kind::limits:
            break;
    }
    return errors::limits_exceeded;
}

}  // namespace

Dictionary details_of(const TaskView& task, const TaskContainerView& container) {
    const auto position = static_cast<std::uint32_t>(&container - task.containers.data());
    Dictionary details = {{"Position", sdbus::Variant(position)},
                          {"Image", text(container.image)},
                          {"EngineName", text(container.engine_name)},
                          {"Id", text(container.id)},
                          {"Essential", sdbus::Variant(container.essential)},
                          {"DesiredStatus", text(to_string(container.desired))},
                          {"KnownStatus", text(to_string(container.known))},
                          {"WaitsFor", text(container.waits_for)},
                          {"Reason", text(container.reason)}};
    if (container.exit_code) {
        details.emplace("ExitCode", sdbus::Variant(std::int32_t{*container.exit_code}));
        details.emplace("OOMKilled", sdbus::Variant(container.oom_killed));
    }
    if (container.started) details.emplace("StartedAt", sdbus::Variant(to_usec(container.started)));
    if (container.finished) details.emplace("FinishedAt", sdbus::Variant(to_usec(container.finished)));
    if (!container.ports.empty()) details.emplace("Ports", sdbus::Variant(rows_of(container.ports)));
    return details;
}

TaskContainers containers_of(const TaskView& task) {
    TaskContainers containers;
    for (const TaskContainerView& container : task.containers)
        containers.emplace(container.name, details_of(task, container));
    return containers;
}

Dictionary properties_of(const TaskView& task) {
    return {{"Arn", text(task.arn)},
            {"Family", text(task.family)},
            {"Version", text(task.version)},
            {"File", text(task.file)},
            {"AddedAt", sdbus::Variant(to_usec(task.added))},
            {"DesiredStatus", text(to_string(task.desired))},
            {"KnownStatus", text(to_string(task.known))},
            {"Reason", text(task.reason)},
            {"StoppedAt", sdbus::Variant(to_usec(task.stopped))},
            {"CleanupAt", sdbus::Variant(to_usec(task.cleanup))},
            {"Containers", sdbus::Variant(containers_of(task))}};
}

sdbus::Error error_of(const TaskError& failure) {
    return error(name_of(failure.kind), failure.message);
}

}  // namespace shorewatch::bus
