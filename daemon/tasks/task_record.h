// What is kept of a task: all that outlives the daemon, and no more but its credentials.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "daemon/tasks/task_definition.h"
#include "daemon/tasks/task_status.h"
#include "engines/engine_deployment.h"
#include "engines/support/timestamp.h"

namespace shorewatch {

struct TaskContainerRecord {
    std::string id = {};  // the engine's; empty: none is known
    TaskStatus known = TaskStatus::none;
    TaskStatus told = TaskStatus::none;  // to the observer, as far as that is known
    bool given_up = false;               // it is to stop, whatever becomes of its task
    bool stopped_again = false;          // it was started by somebody else, and stopped for that
    std::string reason = {};
    std::optional<int> exit_code = {};
    bool oom_killed = false;
    std::optional<RealTime> started = {};
    std::optional<RealTime> finished = {};
    std::vector<PortMapping> ports = {};

    bool operator==(const TaskContainerRecord&) const = default;
};

struct TaskRecord {
    std::string arn;
    std::string file = {};  // of the folder of tasks; empty: it was added
    TaskDefinitionPtr definition = {};
    std::string json = {};    // the definition's
    std::string suffix = {};  // of its names at the engine: 8 hexadecimal digits
    TaskStatus desired = TaskStatus::running;
    TaskStatus known = TaskStatus::none;
    TaskStatus told = TaskStatus::none;
    std::string reason = {};
    bool remove_now = false;  // without waiting for its cleanup
    std::optional<RealTime> added = {};
    std::optional<RealTime> stopped = {};
    std::vector<TaskContainerRecord> containers = {};  // as in the definition
    std::vector<std::string> registries = {};          // that it brought credentials of
    CredentialsByRegistry credentials = {};            // not kept

    // "shorewatch-FAMILY-VERSION-NAME-SUFFIX", of a container or a scratch volume.
    [[nodiscard]] std::string engine_name(const std::string& name) const;

    bool operator==(const TaskRecord&) const = default;
};

// Labels of what belongs to a task. They say what is whose, and authorise nothing.
namespace task_labels {
inline constexpr const char* arn = "org.shorewatch.task-arn";
inline constexpr const char* container = "org.shorewatch.container-name";
inline constexpr const char* family = "org.shorewatch.task-family";
inline constexpr const char* version = "org.shorewatch.task-version";
// By which state file, of all there may be: its own random name.
inline constexpr const char* owner = "org.shorewatch.task-owner";
}  // namespace task_labels

// The container of that index, as the engine is to make it. Those it depends on are made already. mounts of
// scratch volumes name those.
[[nodiscard]] ContainerPlan plan_of(const TaskRecord& task, std::size_t index, const std::string& owner);

// Is this container the one of that index, as its labels say?
[[nodiscard]] bool is_of(const DeployedContainer& container, const TaskRecord& task, std::size_t index);

[[nodiscard]] const std::string* label_of(const DeployedContainer& container, std::string_view key);

}  // namespace shorewatch
