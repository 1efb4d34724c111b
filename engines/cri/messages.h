// What the runtime interface's messages say, in this project's terms, and what is said to it. Pure functions;
// bytes are serialized protobuf.
//
// Each decoder gives nothing when the bytes are not what was asked for. Single entries without a usable id
// are left out: one odd container must not hide the others.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engines/container.h"
#include "engines/engine_client.h"
#include "engines/support/timestamp.h"

namespace shorewatch::cri {

struct Runtime {
    std::string name;  // "containerd", "cri-o"
    std::string version;
};
[[nodiscard]] std::optional<Runtime> decode_version(std::string_view bytes);

// A pod, which is a sandbox with containers in it. ready: its sandbox is there.
struct Pod {
    std::string id;  // of its sandbox
    std::string name;
    std::string uid;
    std::string name_space;
    std::vector<Labels::Entry> labels;  // annotations too, as described() has them
    bool ready = false;
};
[[nodiscard]] std::optional<std::vector<Pod>> decode_pods(std::string_view bytes);

struct Record {
    std::string id;
    std::string pod_id;  // of the pod's sandbox
    std::string name;    // within the pod
    std::string image;
    std::vector<Labels::Entry> labels;
    bool running = false;
};
[[nodiscard]] std::optional<std::vector<Record>> decode_containers(std::string_view bytes);

// Fills in who a container is: name, labels and pod. Labels are those of the container, its annotations under
// "annotation.k8s/", and what tells of its pod, as whalewatcher has them. pod may be null: not known.
void describe(Container& container, const Record& record, const Pod* pod);
// The same of a pod's sandbox, which is called as the pod is.
void describe(Container& container, const Pod& pod);

// How a container or sandbox is, by its verbose status.
struct Status {
    bool running = false;
    std::uint32_t pid = 0;  // 0: none, or not told
    bool privileged = false;
    std::optional<RealTime> started;
    std::optional<RealTime> finished;
    std::optional<int> exit_code;
};
[[nodiscard]] std::optional<Status> decode_container_status(std::string_view bytes);
[[nodiscard]] std::optional<Status> decode_pod_status(std::string_view bytes);

// One message of GetContainerEvents.
struct EventMessage {
    bool of_sandbox = false;
    std::optional<ContainerEvent> event;  // nothing: neither a start nor an end, or unusable
};
[[nodiscard]] std::optional<EventMessage> decode_event(std::string_view bytes);

[[nodiscard]] std::string version_request();
// id: empty for all. state: only those in it; the numbers are the interface's.
[[nodiscard]] std::string list_request(const std::string& id, std::optional<std::uint32_t> state = {});
[[nodiscard]] std::string verbose_status_request(const std::string& id);
[[nodiscard]] std::string stop_container_request(const std::string& id, std::chrono::seconds timeout);
[[nodiscard]] std::string stop_sandbox_request(const std::string& id);

// Can this be the id of a container? Such as can't be are asked for by nobody.
[[nodiscard]] bool is_id(std::string_view text);

inline constexpr std::uint32_t container_running = 1;
inline constexpr std::uint32_t pod_ready = 0;

}  // namespace shorewatch::cri
