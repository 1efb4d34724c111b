#include "daemon/tasks/task_record.h"

#include <algorithm>

namespace shorewatch {

std::string TaskRecord::engine_name(const std::string& name) const {
    return "shorewatch-" + definition->family + "-" + definition->version + "-" + name + "-" + suffix;
}

ContainerPlan plan_of(const TaskRecord& task, std::size_t index, const std::string& owner) {
    const TaskDefinition& definition = *task.definition;
    const ContainerDefinition& container = definition.containers[index];
    ContainerPlan plan;
    plan.name = task.engine_name(container.name);
    plan.image = container.image;
    plan.entry_point = container.entry_point;
    plan.command = container.command;
    plan.environment = container.environment;
    plan.labels = container.labels;
    plan.labels.emplace_back(task_labels::arn, task.arn);
    plan.labels.emplace_back(task_labels::container, container.name);
    plan.labels.emplace_back(task_labels::family, definition.family);
    plan.labels.emplace_back(task_labels::version, definition.version);
    plan.labels.emplace_back(task_labels::owner, owner);
    plan.cpu_shares = container.cpu_shares;
    plan.memory_bytes = container.memory_bytes;
    plan.memory_reservation_bytes = container.memory_reservation_bytes;
    plan.ports = container.ports;
    for (const ContainerDefinition::Link& link : container.links)
        plan.links.emplace_back(task.containers[link.container].id, link.alias);
    for (const ContainerDefinition::VolumesFrom& from : container.volumes_from)
        plan.volumes_from.emplace_back(task.containers[from.container].id, from.read_only);
    for (const ContainerDefinition::MountPoint& mount : container.mounts) {
        const VolumeDefinition& volume = definition.volumes[mount.volume];
        const bool scratch = volume.host_path.empty();
        plan.mounts.push_back(
            {scratch ? task.engine_name(volume.name) : volume.host_path, mount.path, mount.read_only});
    }
    return plan;
}

const std::string* label_of(const DeployedContainer& container, std::string_view key) {
    const auto found = std::ranges::find(container.labels, key, &StringPairs::value_type::first);
    return found == container.labels.end() ? nullptr : &found->second;
}

bool is_of(const DeployedContainer& container, const TaskRecord& task, std::size_t index) {
    const std::string* arn = label_of(container, task_labels::arn);
    const std::string* name = label_of(container, task_labels::container);
    return arn != nullptr && *arn == task.arn && name != nullptr &&
           *name == task.definition->containers[index].name;
}

}  // namespace shorewatch
