#include "engines/containerd/inspection_json.h"

#include <array>

#include "containerd.pb.h"

#include "engines/containerd/time_in.h"
#include "engines/grpc/message.h"
#include "engines/http/json_writer.h"
#include "engines/support/timestamp.h"

namespace shorewatch::containerd {

namespace {

// By containerd's numbers; ctr's words.
constexpr std::array<std::string_view, 6> statuses{"UNKNOWN", "CREATED", "RUNNING",
                                                   "STOPPED", "PAUSED",  "PAUSING"};

std::string base64(std::string_view bytes) {
    constexpr std::string_view digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    std::string text;
    text.reserve((bytes.size() + 2) / 3 * 4);
    for (std::size_t at = 0; at < bytes.size(); at += 3) {
        std::uint32_t three = 0;
        for (std::size_t i = 0; i < 3; ++i) {
            const auto byte = at + i < bytes.size() ? static_cast<unsigned char>(bytes[at + i]) : 0U;
            three = three << 8U | byte;
        }
        for (std::size_t i = 0; i < 4; ++i) {
            const std::uint32_t digit = three >> (18U - 6U * static_cast<unsigned>(i)) & 0x3FU;
            text += at + i <= bytes.size() ? digits[digit] : '=';
        }
    }
    return text;
}

// Serialized messages, or JSON, of whatever type: as ctr shows what it does not know.
void write_any(json::Writer& out, const api::Any& any) {
    out.begin_object();
    out.member("type_url", any.type_url());
    out.member("value", base64(any.value()));
    out.end_object();
}

void write_time(json::Writer& out, std::string_view name, bool told, const api::Timestamp& stamp) {
    out.key(name);
    const auto time = told ? time_in(stamp) : std::nullopt;
    if (!time) return out.null();
    out.text(to_rfc3339(*time));
}

void write_record(json::Writer& out, const api::Container& container) {
    out.member("ID", container.id());
    out.key("Labels");
    out.begin_object();
    for (const api::Label& label : container.labels())
        out.member(label.key(), label.value());
    out.end_object();
    out.member("Image", container.image());
    out.key("Runtime");
    out.begin_object();
    out.member("Name", container.runtime().name());
    out.key("Options");
    container.runtime().has_options() ? write_any(out, container.runtime().options()) : out.null();
    out.end_object();
    out.member("SnapshotKey", container.snapshot_key());
    out.member("Snapshotter", container.snapshotter());
    write_time(out, "CreatedAt", container.has_created_at(), container.created_at());
    write_time(out, "UpdatedAt", container.has_updated_at(), container.updated_at());
    out.key("Extensions");
    out.begin_object();
    for (const api::Extension& extension : container.extensions()) {
        out.key(extension.key());
        write_any(out, extension.value());
    }
    out.end_object();
    out.member("SandboxID", container.sandbox());
    // The OCI runtime specification, which is JSON.
    out.key("Spec");
    out.json(container.spec().value());
}

void write_task(json::Writer& out, const api::Process& process) {
    const std::uint32_t status = process.status();
    out.begin_object();
    out.member("ID", process.container_id().empty() ? process.id() : process.container_id());
    out.member("Pid", process.pid());
    out.member("Status", status < statuses.size() ? statuses.at(status) : "UNKNOWN");
    out.member("ExitStatus", process.exit_status());
    write_time(out, "ExitedAt", process.has_exited_at(), process.exited_at());
    out.end_object();
}

}  // namespace

std::optional<std::string> inspection_json(const std::string& id, std::string_view record,
                                           const std::optional<std::string>& task) {
    const auto response = grpc::parsed<api::ContainerResponse>(record);
    if (!response || response->container().id() != id) return std::nullopt;
    const auto task_response = task ? grpc::parsed<api::GetTaskResponse>(*task) : std::nullopt;
    if (task && (!task_response || !task_response->has_process())) return std::nullopt;
    json::Writer out;
    out.begin_object();
    write_record(out, response->container());
    out.key("Task");
    task_response ? write_task(out, task_response->process()) : out.null();
    out.end_object();
    return std::string(out.written());
}

}  // namespace shorewatch::containerd
