#include "engines/containerd/runtime/runtime_messages.h"

#include <algorithm>
#include <array>

#include "containerd.pb.h"
#include "runtime.pb.h"

#include "engines/containerd/time_in.h"
#include "engines/grpc/message.h"
#include "engines/support/text.h"

namespace shorewatch::containerd {

namespace {

using Type = RuntimeEvent::Type;

constexpr std::string_view spec_type = "types.containerd.io/opencontainers/runtime-spec/1/Spec";
constexpr std::string_view process_type = "types.containerd.io/opencontainers/runtime-spec/1/Process";
constexpr std::string_view resources_type =
    "types.containerd.io/opencontainers/runtime-spec/1/LinuxResources";
constexpr std::string_view runtime_name = "io.containerd.runc.v2";

struct Topic {
    std::string_view name;
    Type type;
};
constexpr std::array<Topic, 9> topics{{{"/tasks/create", Type::created},
                                       {"/tasks/start", Type::started},
                                       {"/tasks/exec-added", Type::exec_added},
                                       {"/tasks/exec-started", Type::exec_started},
                                       {"/tasks/oom", Type::oom},
                                       {"/tasks/paused", Type::paused},
                                       {"/tasks/resumed", Type::resumed},
                                       {"/tasks/exit", Type::exited},
                                       {"/tasks/delete", Type::deleted}}};

void set_any(api::Any& any, std::string_view type, std::string value) {
    any.set_type_url(std::string(type));
    any.set_value(std::move(value));
}

void add_label(api::Label& label, const std::string& key, const std::string& value) {
    label.set_key(key);
    label.set_value(value);
}

template <typename Message>
void set_streams(Message& message, const ProcessStreams& streams) {
    message.set_stdin(streams.in);
    message.set_stdout(streams.out);
    message.set_stderr(streams.error);
    message.set_terminal(streams.terminal);
}

// The payload; false when it makes no sense.
bool read_payload(const std::string& bytes, RuntimeEvent& event) {
    std::string& id = event.place.id;
    switch (event.type) {
        case Type::exited: {
            const auto exit = grpc::parsed<api::TaskExit>(bytes);
            if (!exit) return false;
            id = exit->container_id();
            if (exit->id() != id) event.exec_name = exit->id();
            event.pid = exit->pid();
            event.end = {exit->exit_status(), time_in(exit->exited_at())};
            return true;
        }
        case Type::exec_added: {
            const auto added = grpc::parsed<api::TaskExecAdded>(bytes);
            if (!added) return false;
            id = added->container_id();
            event.exec_name = added->exec_id();
            return !event.exec_name.empty();
        }
        case Type::exec_started: {
            const auto started = grpc::parsed<api::TaskExecStarted>(bytes);
            if (!started) return false;
            id = started->container_id();
            event.exec_name = started->exec_id();
            event.pid = started->pid();
            return !event.exec_name.empty();
        }
        case Type::created: {
            const auto created = grpc::parsed<api::TaskCreate>(bytes);
            if (!created) return false;
            id = created->container_id();
            event.pid = created->pid();
            return true;
        }
        case Type::started: {
            const auto started = grpc::parsed<api::TaskStart>(bytes);
            if (!started) return false;
            id = started->container_id();
            event.pid = started->pid();
            return true;
        }
        case Type::deleted: {
            const auto deleted = grpc::parsed<api::TaskDelete>(bytes);
            if (!deleted) return false;
            id = deleted->container_id();
            if (deleted->id() != id) event.exec_name = deleted->id();
            event.end = {deleted->exit_status(), time_in(deleted->exited_at())};
            return true;
        }
        default: {
            const auto plain = grpc::parsed<api::TaskEvent>(bytes);
            if (!plain) return false;
            id = plain->container_id();
            return true;
        }
    }
}

}  // namespace

std::optional<RuntimeEvent> decode_runtime_event(std::string_view bytes) {
    const auto envelope = grpc::parsed<api::Envelope>(bytes);
    if (!envelope) return std::nullopt;
    const auto topic = std::ranges::find(topics, std::string_view(envelope->topic()), &Topic::name);
    if (topic == topics.end()) return std::nullopt;
    RuntimeEvent event;
    event.type = topic->type;
    event.place.name_space = envelope->namespace_();
    if (!read_payload(envelope->event().value(), event)) return std::nullopt;
    const bool sane = is_containerd_name(event.place.name_space) && is_containerd_name(event.place.id) &&
                      (event.exec_name.empty() || is_containerd_name(event.exec_name));
    if (!sane) return std::nullopt;
    return event;
}

std::string create_container_request(const NewContainer& container, const std::string& spec,
                                     const std::string& snapshot_key) {
    api::ContainerResponse request;
    api::Container& made = *request.mutable_container();
    made.set_id(container.place.id);
    made.set_image(container.image);
    for (const auto& [key, value] : container.labels)
        add_label(*made.add_labels(), key, value);
    made.mutable_runtime()->set_name(std::string(runtime_name));
    set_any(*made.mutable_spec(), spec_type, spec);
    if (!snapshot_key.empty()) {
        made.set_snapshotter(container.snapshotter);
        made.set_snapshot_key(snapshot_key);
    }
    return request.SerializeAsString();
}

std::string update_spec_request(const std::string& id, const std::string& spec) {
    api::UpdateContainerRequest request;
    request.mutable_container()->set_id(id);
    set_any(*request.mutable_container()->mutable_spec(), spec_type, spec);
    request.mutable_update_mask()->add_paths("spec");
    return request.SerializeAsString();
}

std::optional<RawContainer> decode_raw_container(std::string_view bytes) {
    const auto response = grpc::parsed<api::ContainerResponse>(bytes);
    if (!response || !response->has_container()) return std::nullopt;
    const api::Container& told = response->container();
    RawContainer container;
    container.record.image = told.image();
    for (const api::Label& label : told.labels())
        container.record.labels.emplace_back(label.key(), label.value());
    container.record.created = time_in(told.created_at());
    container.spec = told.spec().value();
    container.snapshotter = told.snapshotter();
    container.snapshot_key = told.snapshot_key();
    return container;
}

std::string create_task_request(const std::string& id, const Mounts& rootfs, const ProcessStreams& streams,
                                const std::string& checkpoint) {
    api::CreateTaskRequest request;
    request.set_container_id(id);
    for (const std::string& mount : rootfs)
        static_cast<void>(request.add_rootfs()->ParseFromString(mount));
    set_streams(request, streams);
    if (!checkpoint.empty()) {
        api::RuncOptions options;
        options.set_criu_image_path(checkpoint);
        set_any(*request.mutable_options(), "containerd.runc.v1.Options", options.SerializeAsString());
    }
    return request.SerializeAsString();
}

std::string exec_request(const std::string& id, const std::string& process, const std::string& process_json,
                         const ProcessStreams& streams) {
    api::ExecProcessRequest request;
    request.set_container_id(id);
    request.set_exec_id(process);
    set_streams(request, streams);
    set_any(*request.mutable_spec(), process_type, process_json);
    return request.SerializeAsString();
}

std::string process_request(const std::string& id, const std::string& process) {
    api::GetTaskRequest request;
    request.set_container_id(id);
    request.set_exec_id(process);
    return request.SerializeAsString();
}

std::string signal_request(const std::string& id, const std::string& process, int signal) {
    api::KillRequest request;
    request.set_container_id(id);
    request.set_exec_id(process);
    request.set_signal(static_cast<std::uint32_t>(signal));
    return request.SerializeAsString();
}

std::string resize_request(const std::string& id, const std::string& process, std::uint32_t width,
                           std::uint32_t height) {
    api::ResizePtyRequest request;
    request.set_container_id(id);
    request.set_exec_id(process);
    request.set_width(width);
    request.set_height(height);
    return request.SerializeAsString();
}

std::string close_stdin_request(const std::string& id, const std::string& process) {
    api::CloseIORequest request;
    request.set_container_id(id);
    request.set_exec_id(process);
    request.set_stdin(true);
    return request.SerializeAsString();
}

std::string checkpoint_request(const std::string& id, const std::string& folder, bool exit) {
    api::CheckpointOptions options;
    options.set_exit(exit);
    options.set_image_path(folder);
    api::CheckpointTaskRequest request;
    request.set_container_id(id);
    set_any(*request.mutable_options(), "containerd.runc.v1.CheckpointOptions", options.SerializeAsString());
    return request.SerializeAsString();
}

std::string update_task_request(const std::string& id, const std::string& resources_json) {
    api::UpdateTaskRequest request;
    request.set_container_id(id);
    set_any(*request.mutable_resources(), resources_type, resources_json);
    return request.SerializeAsString();
}

std::string metrics_request(const std::string& id) {
    api::MetricsRequest request;
    request.add_filters("id==\"" + id + "\"");
    return request.SerializeAsString();
}

std::optional<std::uint32_t> decode_created_pid(std::string_view bytes) {
    const auto response = grpc::parsed<api::CreateTaskResponse>(bytes);
    return response ? std::optional(response->pid()) : std::nullopt;
}

std::optional<std::uint32_t> decode_started_pid(std::string_view bytes) {
    const auto response = grpc::parsed<api::StartResponse>(bytes);
    return response ? std::optional(response->pid()) : std::nullopt;
}

std::optional<ProcessState> decode_process_state(std::string_view bytes) {
    const auto response = grpc::parsed<api::GetTaskResponse>(bytes);
    if (!response || !response->has_process()) return std::nullopt;
    const api::Process& told = response->process();
    ProcessState state;
    if (told.status() <= static_cast<std::uint32_t>(ProcessState::Status::pausing))
        state.status = static_cast<ProcessState::Status>(told.status());
    state.pid = told.pid();
    state.terminal = told.terminal();
    state.exit_code = told.exit_status();
    state.exited = time_in(told.exited_at());
    return state;
}

std::optional<ProcessEnd> decode_deleted(std::string_view bytes) {
    const auto response = grpc::parsed<api::DeleteResponse>(bytes);
    if (!response) return std::nullopt;
    return ProcessEnd{response->exit_status(), time_in(response->exited_at())};
}

std::optional<std::vector<ListedProcess>> decode_processes(std::string_view bytes) {
    const auto response = grpc::parsed<api::ListPidsResponse>(bytes);
    if (!response) return std::nullopt;
    std::vector<ListedProcess> processes;
    for (const api::ProcessInfo& told : response->processes()) {
        ListedProcess process{told.pid(), std::nullopt};
        const auto details = grpc::parsed<api::ProcessDetails>(told.info().value());
        if (details && is_containerd_name(details->exec_id())) process.exec_name = details->exec_id();
        processes.push_back(std::move(process));
    }
    return processes;
}

std::optional<EngineVersion> decode_engine_version(std::string_view bytes) {
    const auto response = grpc::parsed<api::VersionResponse>(bytes);
    if (!response) return std::nullopt;
    return EngineVersion{valid_utf8(response->version(), longest_name),
                         valid_utf8(response->revision(), longest_name)};
}

std::string create_lease_request(const std::string& id, RealTime expires) {
    api::CreateLeaseRequest request;
    request.set_id(id);
    add_label(*request.add_labels(), "containerd.io/gc.expire", to_rfc3339(expires));
    return request.SerializeAsString();
}

std::string delete_lease_request(const std::string& id) {
    api::DeleteLeaseRequest request;
    request.set_id(id);
    return request.SerializeAsString();
}

std::string snapshot_request(const std::string& snapshotter, const std::string& key) {
    api::SnapshotRequest request;
    request.set_snapshotter(snapshotter);
    request.set_key(key);
    return request.SerializeAsString();
}

std::string prepare_snapshot_request(const std::string& snapshotter, const std::string& key,
                                     const std::string& parent) {
    api::PrepareSnapshotRequest request;
    request.set_snapshotter(snapshotter);
    request.set_key(key);
    request.set_parent(parent);
    return request.SerializeAsString();
}

std::string commit_snapshot_request(const std::string& snapshotter, const std::string& name,
                                    const std::string& key) {
    api::CommitSnapshotRequest request;
    request.set_snapshotter(snapshotter);
    request.set_name(name);
    request.set_key(key);
    return request.SerializeAsString();
}

std::optional<Mounts> decode_mounts(std::string_view bytes) {
    const auto response = grpc::parsed<api::MountsResponse>(bytes);
    if (!response) return std::nullopt;
    Mounts mounts;
    for (const api::Mount& mount : response->mounts())
        mounts.push_back(mount.SerializeAsString());
    return mounts;
}

std::string image_request(const std::string& name) {
    api::GetImageRequest request;
    request.set_name(name);
    return request.SerializeAsString();
}

std::optional<Descriptor> decode_image_target(std::string_view bytes) {
    const auto response = grpc::parsed<api::GetImageResponse>(bytes);
    if (!response || !response->has_image()) return std::nullopt;
    const api::Descriptor& target = response->image().target();
    return Descriptor{target.media_type(), target.digest(), target.size()};
}

std::string read_content_request(const Descriptor& content) {
    api::ReadContentRequest request;
    request.set_digest(content.digest);
    return request.SerializeAsString();
}

std::optional<std::string> decode_content(std::string_view bytes) {
    auto response = grpc::parsed<api::ReadContentResponse>(bytes);
    return response ? std::optional(std::move(*response->mutable_data())) : std::nullopt;
}

std::string label_content_request(const std::string& digest, const std::string& label,
                                  const std::string& value) {
    api::UpdateContentRequest request;
    request.mutable_info()->set_digest(digest);
    add_label(*request.mutable_info()->add_labels(), label, value);
    request.mutable_update_mask()->add_paths("labels." + label);
    return request.SerializeAsString();
}

std::string apply_request(const Descriptor& layer, const Mounts& mounts) {
    api::ApplyRequest request;
    request.mutable_diff()->set_media_type(layer.media_type);
    request.mutable_diff()->set_digest(layer.digest);
    request.mutable_diff()->set_size(layer.size);
    for (const std::string& mount : mounts)
        static_cast<void>(request.add_mounts()->ParseFromString(mount));
    return request.SerializeAsString();
}

std::optional<std::string> decode_applied_digest(std::string_view bytes) {
    const auto response = grpc::parsed<api::ApplyResponse>(bytes);
    return response ? std::optional(response->applied().digest()) : std::nullopt;
}

}  // namespace shorewatch::containerd
