// The messages of containerd's API that make containers and run them. Pure functions; bytes are serialized
// protobuf.
//
// Each decoder gives nothing when the bytes are not what was asked for.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "engines/engine_runtime.h"

namespace shorewatch::containerd {

using LabelPairs = std::vector<std::pair<std::string, std::string>>;

// A mount as a snapshotter describes it, passed on as it came: serialized messages.
using Mounts = std::vector<std::string>;

// What content is and where it is kept.
struct Descriptor {
    std::string media_type;
    std::string digest;
    std::int64_t size = 0;
};

// A container as containerd has it.
struct RawContainer {
    ContainerRecord record;
    std::string spec;  // JSON
    std::string snapshotter;
    std::string snapshot_key;
};

// Something that runtime observers follow, in its namespace; nothing: another event, or one that makes no
// sense.
[[nodiscard]] std::optional<RuntimeEvent> decode_runtime_event(std::string_view bytes);

[[nodiscard]] std::string create_container_request(const NewContainer& container, const std::string& spec,
                                                   const std::string& snapshot_key);
// Its specification only.
[[nodiscard]] std::string update_spec_request(const std::string& id, const std::string& spec);
[[nodiscard]] std::optional<RawContainer> decode_raw_container(std::string_view bytes);

// checkpoint: a folder, or empty
[[nodiscard]] std::string create_task_request(const std::string& id, const Mounts& rootfs,
                                              const ProcessStreams& streams, const std::string& checkpoint);
[[nodiscard]] std::string exec_request(const std::string& id, const std::string& process,
                                       const std::string& process_json, const ProcessStreams& streams);
// Of Start, Get, Delete and DeleteProcess. process: empty for the initial one.
[[nodiscard]] std::string process_request(const std::string& id, const std::string& process);
[[nodiscard]] std::string signal_request(const std::string& id, const std::string& process, int signal);
[[nodiscard]] std::string resize_request(const std::string& id, const std::string& process,
                                         std::uint32_t width, std::uint32_t height);
[[nodiscard]] std::string close_stdin_request(const std::string& id, const std::string& process);
[[nodiscard]] std::string checkpoint_request(const std::string& id, const std::string& folder, bool exit);
[[nodiscard]] std::string update_task_request(const std::string& id, const std::string& resources_json);
[[nodiscard]] std::string metrics_request(const std::string& id);
[[nodiscard]] std::optional<std::uint32_t> decode_created_pid(std::string_view bytes);
[[nodiscard]] std::optional<std::uint32_t> decode_started_pid(std::string_view bytes);
[[nodiscard]] std::optional<ProcessState> decode_process_state(std::string_view bytes);
[[nodiscard]] std::optional<ProcessEnd> decode_deleted(std::string_view bytes);
[[nodiscard]] std::optional<std::vector<ListedProcess>> decode_processes(std::string_view bytes);
[[nodiscard]] std::optional<EngineVersion> decode_engine_version(std::string_view bytes);

[[nodiscard]] std::string create_lease_request(const std::string& id, RealTime expires);
[[nodiscard]] std::string delete_lease_request(const std::string& id);
[[nodiscard]] std::string snapshot_request(const std::string& snapshotter, const std::string& key);
[[nodiscard]] std::string prepare_snapshot_request(const std::string& snapshotter, const std::string& key,
                                                   const std::string& parent);
[[nodiscard]] std::string commit_snapshot_request(const std::string& snapshotter, const std::string& name,
                                                  const std::string& key);
[[nodiscard]] std::optional<Mounts> decode_mounts(std::string_view bytes);
[[nodiscard]] std::string image_request(const std::string& name);
[[nodiscard]] std::optional<Descriptor> decode_image_target(std::string_view bytes);
[[nodiscard]] std::string read_content_request(const Descriptor& content);
[[nodiscard]] std::optional<std::string> decode_content(std::string_view bytes);
// Has content keep something from being collected: one label of it.
[[nodiscard]] std::string label_content_request(const std::string& digest, const std::string& label,
                                                const std::string& value);
[[nodiscard]] std::string apply_request(const Descriptor& layer, const Mounts& mounts);
// The digest of what was unpacked.
[[nodiscard]] std::optional<std::string> decode_applied_digest(std::string_view bytes);

}  // namespace shorewatch::containerd
