#include "engines/cri/messages.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "cri.pb.h"

#include "engines/grpc/message.h"
#include "engines/http/json.h"
#include "engines/support/text.h"

namespace shorewatch::cri {

namespace {

using Type = ContainerEvent::Type;

constexpr std::size_t longest_id = 256;
constexpr std::uint32_t container_exited = 2;
constexpr std::uint32_t started_event = 1;
constexpr std::uint32_t stopped_event = 2;

// As text of engines' is kept that is a name.
std::string name_in(const std::string& text) {
    return valid_utf8(text, longest_name);
}

std::optional<RealTime> time_of(std::int64_t nanoseconds) {
    if (nanoseconds <= 0) return std::nullopt;
    return RealTime{std::chrono::nanoseconds(nanoseconds)};
}

// Kubernetes' annotations are labels too, under a prefix that no label has.
template <typename Message>
std::vector<Labels::Entry> labels_of(const Message& message) {
    std::vector<Labels::Entry> labels;
    for (const api::Entry& label : message.labels())
        labels.emplace_back(label.key(), label.value());
    for (const api::Entry& annotation : message.annotations())
        labels.emplace_back("annotation.k8s/" + annotation.key(), annotation.value());
    return labels;
}

void set_labels(Container& container, std::vector<Labels::Entry> labels, const Pod* pod) {
    if (pod != nullptr) {
        labels.emplace_back("io.kubernetes.pod.name", pod->name);
        labels.emplace_back("io.kubernetes.pod.namespace", pod->name_space);
        labels.emplace_back("io.kubernetes.pod.uid", pod->uid);
        container.pod = pod->name;
        container.pod_id = pod->uid;
        container.name_space = pod->name_space;
    }
    container.labels = std::make_shared<const Labels>(std::move(labels));
    container.project = project_of(*container.labels);
}

// What is in the JSON that verbose statuses have: of no standard, but containerd and CRI-O agree on these.
template <typename Entries>
void read_info(const Entries& entries, Status& status) {
    const auto info =
        std::ranges::find_if(entries, [](const api::Entry& entry) { return entry.key() == "info"; });
    if (info == entries.end()) return;
    try {
        const json::Document document(info->value());
        const auto pid = json::integer_at(document.root(), {"pid"}).value_or(0);
        if (pid > 0 && std::in_range<std::int32_t>(pid)) status.pid = static_cast<std::uint32_t>(pid);
        status.privileged = json::flag_at(document.root(), {"privileged"});
    } catch (const json::Malformed&) {
        // As if there were none: whoever needs the pid says what is missing.
    }
}

}  // namespace

bool is_id(std::string_view text) {
    return !text.empty() && text.size() <= longest_id && valid_utf8(text) == text;
}

std::optional<Runtime> decode_version(std::string_view bytes) {
    const auto response = grpc::parsed<api::VersionResponse>(bytes);
    if (!response) return std::nullopt;
    return Runtime{name_in(response->runtime_name()), name_in(response->runtime_version())};
}

std::optional<std::vector<Pod>> decode_pods(std::string_view bytes) {
    const auto response = grpc::parsed<api::ListPodSandboxResponse>(bytes);
    if (!response) return std::nullopt;
    std::vector<Pod> pods;
    for (const api::PodSandbox& item : response->items()) {
        if (!is_id(item.id())) continue;
        pods.push_back({item.id(), name_in(item.metadata().name()), name_in(item.metadata().uid()),
                        name_in(item.metadata().namespace_()), labels_of(item), item.state() == pod_ready});
    }
    return pods;
}

std::optional<std::vector<Record>> decode_containers(std::string_view bytes) {
    const auto response = grpc::parsed<api::ListContainersResponse>(bytes);
    if (!response) return std::nullopt;
    std::vector<Record> records;
    for (const api::Container& item : response->containers()) {
        if (!is_id(item.id())) continue;
        records.push_back({item.id(), item.pod_sandbox_id(), name_in(item.metadata().name()),
                           name_in(item.image().image()), labels_of(item),
                           item.state() == container_running});
    }
    return records;
}

void describe(Container& container, const Record& record, const Pod* pod) {
    container.name = record.name.empty() ? record.id : record.name;
    container.image = record.image;
    container.sandbox = false;
    std::vector<Labels::Entry> labels = record.labels;
    labels.emplace_back("io.kubernetes.container.name", record.name);
    set_labels(container, std::move(labels), pod);
}

void describe(Container& container, const Pod& pod) {
    container.name = pod.name.empty() ? pod.id : pod.name;
    container.sandbox = true;
    set_labels(container, pod.labels, &pod);
}

std::optional<Status> decode_container_status(std::string_view bytes) {
    const auto response = grpc::parsed<api::ContainerStatusResponse>(bytes);
    if (!response || !response->has_status()) return std::nullopt;
    const api::ContainerStatus& told = response->status();
    Status status;
    status.running = told.state() == container_running;
    status.started = time_of(told.started_at());
    if (told.state() == container_exited && status.started) {
        status.finished = time_of(told.finished_at());
        status.exit_code = told.exit_code();
    }
    read_info(response->info(), status);
    return status;
}

std::optional<Status> decode_pod_status(std::string_view bytes) {
    const auto response = grpc::parsed<api::PodSandboxStatusResponse>(bytes);
    if (!response || !response->has_status()) return std::nullopt;
    Status status;
    status.running = response->status().state() == pod_ready;
    status.started = time_of(response->status().created_at());
    read_info(response->info(), status);
    return status;
}

std::optional<EventMessage> decode_event(std::string_view bytes) {
    const auto response = grpc::parsed<api::ContainerEventResponse>(bytes);
    if (!response) return std::nullopt;
    EventMessage message;
    const std::string& id = response->container_id();
    const auto time = time_of(response->created_at());
    const std::uint32_t type = response->container_event_type();
    if (!is_id(id) || !time || (type != started_event && type != stopped_event)) return message;
    message.of_sandbox = response->pod_sandbox_status().id() == id;

    auto container = std::make_shared<Container>();
    container->id = container->name = id;
    container->by_id_alone = true;
    container->sandbox = message.of_sandbox;
    const api::PodSandboxMetadata& pod = response->pod_sandbox_status().metadata();
    container->pod = name_in(pod.name());
    container->pod_id = name_in(pod.uid());
    container->name_space = name_in(pod.namespace_());
    ContainerEvent event{type == started_event ? Type::started : Type::exited, std::move(container), *time,
                         std::nullopt};
    for (const api::ContainerStatus& status : response->containers_statuses()) {
        if (event.type == Type::exited && status.id() == id && status.state() == container_exited)
            event.exit_code = status.exit_code();
    }
    message.event = std::move(event);
    return message;
}

std::string version_request() {
    api::VersionRequest request;
    request.set_version("v1");
    return request.SerializeAsString();
}

std::string list_request(const std::string& id, std::optional<std::uint32_t> state) {
    api::ListRequest request;
    if (!id.empty()) request.mutable_filter()->set_id(id);
    if (state) request.mutable_filter()->mutable_state()->set_state(*state);
    return request.SerializeAsString();
}

std::string verbose_status_request(const std::string& id) {
    api::StatusRequest request;
    request.set_id(id);
    request.set_verbose(true);
    return request.SerializeAsString();
}

std::string stop_container_request(const std::string& id, std::chrono::seconds timeout) {
    api::StopContainerRequest request;
    request.set_container_id(id);
    request.set_timeout(timeout.count());
    return request.SerializeAsString();
}

std::string stop_sandbox_request(const std::string& id) {
    api::StopPodSandboxRequest request;
    request.set_pod_sandbox_id(id);
    return request.SerializeAsString();
}

}  // namespace shorewatch::cri
