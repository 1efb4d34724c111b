// What containerd's messages say, in this project's terms, and what is said to it. Pure functions; bytes are
// serialized protobuf.
//
// Each decoder gives nothing when the bytes are not what was asked for. Single entries that make no sense are
// left out instead: one odd container must not hide the others.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engines/container.h"
#include "engines/engine_client.h"
#include "engines/support/timestamp.h"

namespace shorewatch::containerd {

// An id as this project publishes it, "NAMESPACE/ID": containerd's own are unique within a namespace only,
// and neither part holds a slash.
struct Identifier {
    std::string name_space;
    std::string id;

    [[nodiscard]] std::string text() const { return name_space + "/" + id; }
    // Nothing if text is no such id.
    [[nodiscard]] static std::optional<Identifier> parse(std::string_view text);
};

// One message of the event stream.
struct EventMessage {
    std::string name_space;
    std::string topic;
    // Nothing: not about what we follow, or unusable. Its container knows id and name_space; name is the id,
    // but for a renamed event, which has the name and labels; pid is there for started and exited ones.
    std::optional<ContainerEvent> event;
};
[[nodiscard]] std::optional<EventMessage> decode_event(std::string_view bytes);

// A task, which is what containerd calls a container's run, from its creation until it is deleted.
struct Task {
    // The numbers are containerd's. unknown: its shim did not tell.
    enum class Status : std::uint32_t {
        unknown = 0,
        created = 1,
        running = 2,
        stopped = 3,
        paused = 4,
        pausing = 5
    };

    std::string id;  // the container's, without namespace
    std::uint32_t pid = 0;
    Status status = Status::unknown;
    std::uint32_t exit_status = 0;
    std::optional<RealTime> exited;

    [[nodiscard]] bool is_alive() const noexcept {
        return status == Status::running || status == Status::paused || status == Status::pausing;
    }
    [[nodiscard]] bool is_paused() const noexcept {
        return status == Status::paused || status == Status::pausing;
    }
};
[[nodiscard]] std::optional<std::vector<Task>> decode_tasks(std::string_view bytes);
[[nodiscard]] std::optional<Task> decode_task(std::string_view bytes);

// A container without what its task tells: of Containers.Get, and one message of ListStream. Its id is empty
// when containerd's can't be used.
[[nodiscard]] std::optional<Container> decode_container(const std::string& name_space,
                                                        std::string_view bytes);

[[nodiscard]] std::optional<std::vector<std::string>> decode_namespaces(std::string_view bytes);
[[nodiscard]] std::optional<std::string> decode_version(std::string_view bytes);
[[nodiscard]] std::optional<std::string> decode_server_id(std::string_view bytes);

[[nodiscard]] std::string subscribe_request(const std::vector<std::string>& filters);
// An event of type google.protobuf.Empty: one that says nothing but its topic.
[[nodiscard]] std::string publish_request(const std::string& topic);
[[nodiscard]] std::string container_request(const std::string& id);
// Of Tasks.Get, Pause, Resume and Wait.
[[nodiscard]] std::string task_request(const std::string& id);
// To the initial process. signal: 1 to 64.
[[nodiscard]] std::string kill_request(const std::string& id, int signal);

}  // namespace shorewatch::containerd
