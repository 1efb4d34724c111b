// What the task engine tells, as values for the bus.
#pragma once

#include <map>
#include <string>

#include "daemon/tasks/task_engine.h"
#include "dbus/compat/sdbus.h"

namespace shorewatch::bus {

using TaskContainers = std::map<std::string, Dictionary>;

// What org.shorewatch1.Task has as Containers.
[[nodiscard]] Dictionary details_of(const TaskView& task, const TaskContainerView& container);
[[nodiscard]] TaskContainers containers_of(const TaskView& task);
// All properties of org.shorewatch1.Task.
[[nodiscard]] Dictionary properties_of(const TaskView& task);

[[nodiscard]] sdbus::Error error_of(const TaskError& failure);

}  // namespace shorewatch::bus
