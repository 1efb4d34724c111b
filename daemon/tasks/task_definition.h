// A task definition: what a task's containers are to be, checked, as immutable values.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "daemon/tasks/task_status.h"
#include "engines/engine_deployment.h"

namespace shorewatch {

// Something that has to be so of one container before another one moves on.
struct ContainerDependency {
    enum class Condition {
        created,  // it was made
        running,  // it runs
        ended,    // it ran, and ended
        success,  // it ran, and ended with exit code 0
    };

    std::size_t container = 0;  // by its place in the definition
    Condition condition = Condition::running;

    bool operator==(const ContainerDependency&) const = default;
};

struct ContainerDefinition {
    struct Link {
        std::size_t container = 0;
        std::string alias;

        bool operator==(const Link&) const = default;
    };
    struct VolumesFrom {
        std::size_t container = 0;
        bool read_only = false;

        bool operator==(const VolumesFrom&) const = default;
    };
    struct MountPoint {
        std::size_t volume = 0;
        std::string path;  // in the container, absolute
        bool read_only = false;

        bool operator==(const MountPoint&) const = default;
    };

    std::string name;
    std::string image;
    bool essential = true;
    std::uint32_t cpu_shares = 0;                // 0: the engine's default
    std::uint64_t memory_bytes = 0;              // 0: no limit
    std::uint64_t memory_reservation_bytes = 0;  // 0: none
    std::vector<Link> links = {};
    std::vector<VolumesFrom> volumes_from = {};
    std::vector<MountPoint> mounts = {};
    std::vector<PortMapping> ports = {};
    StringPairs environment = {};
    StringPairs labels = {};
    std::optional<std::vector<std::string>> entry_point = {};  // nothing: the image's
    std::optional<std::vector<std::string>> command = {};      // nothing: the image's; overrides are in it
    // Between the stop signal and the kill.
    std::chrono::seconds stop_timeout = std::chrono::seconds(30);
    // All, those of links and volumes too. Never in a circle.
    std::vector<ContainerDependency> dependencies = {};

    bool operator==(const ContainerDefinition&) const = default;
};

struct VolumeDefinition {
    std::string name;
    std::string host_path;  // absolute; empty: scratch, made with the task and removed with it

    bool operator==(const VolumeDefinition&) const = default;
};

// By registry, "host", "host:port", or "docker.io".
using CredentialsByRegistry = std::map<std::string, RegistryCredentials, std::less<>>;

struct TaskDefinition {
    std::string family;
    std::string version = "0";
    std::vector<VolumeDefinition> volumes = {};
    std::vector<ContainerDefinition> containers = {};

    bool operator==(const TaskDefinition&) const = default;
};
using TaskDefinitionPtr = std::shared_ptr<const TaskDefinition>;

// What somebody wants who hands in a definition.
struct WantedTask {
    std::string arn;                           // empty: any
    TaskStatus desired = TaskStatus::running;  // or stopped
    CredentialsByRegistry credentials = {};
    TaskDefinitionPtr definition = {};  // never null
    std::string json = {};              // the definition's, compact; without what is above it here
};

// The registry that an image is pulled from: "docker.io" where it names none.
[[nodiscard]] std::string registry_of(std::string_view image);

}  // namespace shorewatch
