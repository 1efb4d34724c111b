#include "engines/containerd/messages.h"

#include <algorithm>
#include <array>
#include <limits>
#include <memory>
#include <utility>

#include "containerd.pb.h"

#include "engines/containerd/time_in.h"
#include "engines/grpc/message.h"
#include "engines/support/text.h"

namespace shorewatch::containerd {

namespace {

using Type = ContainerEvent::Type;

struct Topic {
    std::string_view name;
    Type type;
};
constexpr std::array<Topic, 7> topics{{{"/tasks/start", Type::started},
                                       {"/tasks/exit", Type::exited},
                                       {"/tasks/paused", Type::paused},
                                       {"/tasks/resumed", Type::unpaused},
                                       {"/tasks/oom", Type::oom},
                                       {"/containers/update", Type::renamed},
                                       // A shim may take the exit of its task with it unsaid (1.7).
                                       {"/containers/delete", Type::removed}}};

std::uint32_t sane_pid(std::uint32_t pid) {
    return pid <= std::numeric_limits<std::int32_t>::max() ? pid : 0;
}

// Fills in labels and what follows from them.
template <typename Entries>
void set_labels(Container& container, const Entries& labels) {
    std::vector<Labels::Entry> entries;
    entries.reserve(static_cast<std::size_t>(labels.size()));
    for (const api::Label& label : labels)
        entries.emplace_back(label.key(), label.value());
    container.labels = std::make_shared<const Labels>(std::move(entries));
    container.project = project_of(*container.labels);
    const auto value = [&](std::string_view key) -> std::string {
        const std::string* found = container.labels->find(key);
        return found != nullptr ? valid_utf8(*found, longest_name) : std::string{};
    };
    if (std::string name = value("nerdctl/name"); !name.empty()) container.name = std::move(name);
    container.pod = value("io.kubernetes.pod.name");
    container.pod_id = value("io.kubernetes.pod.uid");
    container.sandbox = value("io.cri-containerd.kind") == "sandbox";
}

// Without a usable id: one with an empty id.
Container outline(const std::string& name_space, const std::string& id) {
    Container container;
    if (!is_containerd_name(id)) return container;
    container.id = Identifier{name_space, id}.text();
    container.name = id;
    container.name_space = name_space;
    return container;
}

// What most events carry.
Container by_id(const std::string& name_space, const std::string& id) {
    Container container = outline(name_space, id);
    container.by_id_alone = true;
    return container;
}

// Fills in what the event itself says; false if it is not one of the container's own, or makes no sense.
bool read_payload(const std::string& bytes, const std::string& name_space, ContainerEvent& event,
                  Container& container) {
    switch (event.type) {
        case Type::started: {
            const auto start = grpc::parsed<api::TaskStart>(bytes);
            if (!start) return false;
            container = by_id(name_space, start->container_id());
            container.pid = sane_pid(start->pid());
            return true;
        }
        case Type::exited: {
            const auto exit = grpc::parsed<api::TaskExit>(bytes);
            // An exec'd process has an id of its own.
            if (!exit || exit->id() != exit->container_id()) return false;
            container = by_id(name_space, exit->container_id());
            container.pid = sane_pid(exit->pid());
            if (std::in_range<int>(exit->exit_status()))
                event.exit_code = static_cast<int>(exit->exit_status());
            return true;
        }
        case Type::renamed: {
            const auto update = grpc::parsed<api::ContainerUpdate>(bytes);
            if (!update) return false;
            container = outline(name_space, update->id());
            container.image = valid_utf8(update->image(), longest_name);
            set_labels(container, update->labels());
            return true;
        }
        default: {
            const auto plain = grpc::parsed<api::TaskEvent>(bytes);
            if (!plain) return false;
            container = by_id(name_space, plain->container_id());
            return true;
        }
    }
}

Task to_task(const api::Process& process) {
    Task task;
    task.id = process.container_id();
    // containerd 1.6 and later leave this one empty, and have the container's as the process's.
    if (task.id.empty()) task.id = process.id();
    task.pid = sane_pid(process.pid());
    if (process.status() <= static_cast<std::uint32_t>(Task::Status::pausing)) {
        task.status = static_cast<Task::Status>(process.status());
    }
    task.exit_status = process.exit_status();
    task.exited = time_in(process.exited_at());
    return task;
}

}  // namespace

std::optional<Identifier> Identifier::parse(std::string_view text) {
    const std::size_t slash = text.find('/');
    if (slash == std::string_view::npos) return std::nullopt;
    Identifier identifier{std::string(text.substr(0, slash)), std::string(text.substr(slash + 1))};
    if (!is_containerd_name(identifier.name_space) || !is_containerd_name(identifier.id)) return std::nullopt;
    return identifier;
}

std::optional<EventMessage> decode_event(std::string_view bytes) {
    const auto envelope = grpc::parsed<api::Envelope>(bytes);
    if (!envelope) return std::nullopt;
    EventMessage message{envelope->namespace_(), envelope->topic(), std::nullopt};
    const auto topic = std::ranges::find(topics, message.topic, &Topic::name);
    const auto time = time_in(envelope->timestamp());
    if (topic == topics.end() || !time || !is_containerd_name(message.name_space)) return message;

    ContainerEvent event{topic->type, nullptr, *time, std::nullopt};
    Container container;
    if (!read_payload(envelope->event().value(), message.name_space, event, container)) return message;
    if (container.id.empty()) return message;
    event.container = std::make_shared<const Container>(std::move(container));
    message.event = std::move(event);
    return message;
}

std::optional<std::vector<Task>> decode_tasks(std::string_view bytes) {
    const auto response = grpc::parsed<api::ListTasksResponse>(bytes);
    if (!response) return std::nullopt;
    std::vector<Task> tasks;
    tasks.reserve(static_cast<std::size_t>(response->tasks_size()));
    for (const api::Process& process : response->tasks())
        tasks.push_back(to_task(process));
    return tasks;
}

std::optional<Task> decode_task(std::string_view bytes) {
    const auto response = grpc::parsed<api::GetTaskResponse>(bytes);
    if (!response || !response->has_process()) return std::nullopt;
    return to_task(response->process());
}

std::optional<Container> decode_container(const std::string& name_space, std::string_view bytes) {
    const auto response = grpc::parsed<api::ContainerResponse>(bytes);
    if (!response || !response->has_container()) return std::nullopt;
    const api::Container& told = response->container();
    Container container = outline(name_space, told.id());
    container.image = valid_utf8(told.image(), longest_name);
    set_labels(container, told.labels());
    return container;
}

std::optional<std::vector<std::string>> decode_namespaces(std::string_view bytes) {
    const auto response = grpc::parsed<api::ListNamespacesResponse>(bytes);
    if (!response) return std::nullopt;
    std::vector<std::string> names;
    for (const api::Namespace& name_space : response->namespaces()) {
        if (is_containerd_name(name_space.name())) names.push_back(name_space.name());
    }
    return names;
}

std::optional<std::string> decode_version(std::string_view bytes) {
    const auto response = grpc::parsed<api::VersionResponse>(bytes);
    if (!response) return std::nullopt;
    return valid_utf8(response->version(), longest_name);
}

std::optional<std::string> decode_server_id(std::string_view bytes) {
    const auto response = grpc::parsed<api::ServerResponse>(bytes);
    if (!response) return std::nullopt;
    return valid_utf8(response->uuid(), longest_name);
}

std::string subscribe_request(const std::vector<std::string>& filters) {
    api::SubscribeRequest request;
    for (const std::string& filter : filters)
        request.add_filters(filter);
    return request.SerializeAsString();
}

std::string publish_request(const std::string& topic) {
    api::PublishRequest request;
    request.set_topic(topic);
    // Bare, as containerd has its types: with "type.googleapis.com/" before it is refused.
    request.mutable_event()->set_type_url("google.protobuf.Empty");
    return request.SerializeAsString();
}

std::string container_request(const std::string& id) {
    api::GetContainerRequest request;
    request.set_id(id);
    return request.SerializeAsString();
}

std::string task_request(const std::string& id) {
    api::GetTaskRequest request;
    request.set_container_id(id);
    return request.SerializeAsString();
}

std::string kill_request(const std::string& id, int signal) {
    api::KillRequest request;
    request.set_container_id(id);
    request.set_signal(static_cast<std::uint32_t>(signal));
    return request.SerializeAsString();
}

}  // namespace shorewatch::containerd
