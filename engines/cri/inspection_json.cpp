#include "engines/cri/inspection_json.h"

#include <algorithm>
#include <array>
#include <cstdint>

#include "cri.pb.h"

#include "engines/grpc/message.h"
#include "engines/http/json_writer.h"
#include "engines/support/timestamp.h"

namespace shorewatch::cri {

namespace {

// By the interface's numbers.
constexpr std::array<std::string_view, 4> container_states{"CONTAINER_CREATED", "CONTAINER_RUNNING",
                                                           "CONTAINER_EXITED", "CONTAINER_UNKNOWN"};
constexpr std::array<std::string_view, 2> sandbox_states{"SANDBOX_READY", "SANDBOX_NOTREADY"};

template <typename States>
void write_state(json::Writer& out, const States& names, std::uint32_t state) {
    out.key("state");
    state < names.size() ? out.text(names.at(state)) : out.number(state);
}

void write_time(json::Writer& out, std::string_view name, std::int64_t nanoseconds) {
    out.key(name);
    nanoseconds > 0 ? out.text(to_rfc3339(RealTime{std::chrono::nanoseconds(nanoseconds)})) : out.null();
}

template <typename Entries>
void write_map(json::Writer& out, std::string_view name, const Entries& entries) {
    out.key(name);
    out.begin_object();
    for (const api::Entry& entry : entries)
        out.member(entry.key(), entry.value());
    out.end_object();
}

void write(json::Writer& out, const api::ContainerStatus& status) {
    out.member("id", status.id());
    out.key("metadata");
    out.begin_object();
    out.member("attempt", status.metadata().attempt());
    out.member("name", status.metadata().name());
    out.end_object();
    write_state(out, container_states, status.state());
    write_time(out, "createdAt", status.created_at());
    write_time(out, "startedAt", status.started_at());
    write_time(out, "finishedAt", status.finished_at());
    out.member("exitCode", status.exit_code());
    out.key("image");
    out.begin_object();
    out.member("image", status.image().image());
    out.end_object();
    out.member("imageRef", status.image_ref());
    out.member("reason", status.reason());
    out.member("message", status.message());
    write_map(out, "labels", status.labels());
    write_map(out, "annotations", status.annotations());
    out.key("mounts");
    out.begin_array();
    for (const api::Mount& mount : status.mounts()) {
        out.begin_object();
        out.member("containerPath", mount.container_path());
        out.member("hostPath", mount.host_path());
        out.key("readonly");
        out.flag(mount.readonly());
        out.end_object();
    }
    out.end_array();
    out.member("logPath", status.log_path());
}

void write(json::Writer& out, const api::PodSandboxStatus& status) {
    out.member("id", status.id());
    out.key("metadata");
    out.begin_object();
    out.member("attempt", status.metadata().attempt());
    out.member("name", status.metadata().name());
    out.member("namespace", status.metadata().namespace_());
    out.member("uid", status.metadata().uid());
    out.end_object();
    write_state(out, sandbox_states, status.state());
    write_time(out, "createdAt", status.created_at());
    out.key("network");
    out.begin_object();
    out.member("ip", status.network().ip());
    out.key("additionalIps");
    out.begin_array();
    for (const api::PodIp& other : status.network().additional_ips())
        out.text(other.ip());
    out.end_array();
    out.end_object();
    write_map(out, "labels", status.labels());
    write_map(out, "annotations", status.annotations());
    out.member("runtimeHandler", status.runtime_handler());
}

// The values of what is verbose are JSON by themselves, as a rule; crictl shows that of "info" alone.
template <typename Entries>
void write_info(json::Writer& out, const Entries& entries) {
    out.key("info");
    const auto info =
        std::ranges::find_if(entries, [](const api::Entry& entry) { return entry.key() == "info"; });
    if (info != entries.end()) return out.json(info->value());
    out.begin_object();
    for (const api::Entry& entry : entries) {
        out.key(entry.key());
        out.text(entry.value());
    }
    out.end_object();
}

template <typename Response>
std::optional<std::string> written(const std::string& id, std::string_view bytes) {
    const auto response = grpc::parsed<Response>(bytes);
    if (!response || response->status().id() != id) return std::nullopt;
    json::Writer out;
    out.begin_object();
    out.key("status");
    out.begin_object();
    write(out, response->status());
    out.end_object();
    write_info(out, response->info());
    out.end_object();
    return std::string(out.written());
}

}  // namespace

std::optional<std::string> inspection_json(const std::string& id, bool of_sandbox, std::string_view bytes) {
    return of_sandbox ? written<api::PodSandboxStatusResponse>(id, bytes)
                      : written<api::ContainerStatusResponse>(id, bytes);
}

}  // namespace shorewatch::cri
