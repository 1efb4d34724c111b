#include "engines/podman/podman_decode.h"

#include <algorithm>
#include <array>
#include <initializer_list>
#include <limits>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "engines/http/http_error.h"
#include "engines/http/json.h"
#include "engines/rest/decode.h"
#include "engines/support/text.h"

namespace shorewatch::podman {

namespace {

using json::Value;
using Type = ContainerEvent::Type;

// The oldest API that is served by Podman 4 to 6, which all do (libpod's version.MinimalAPI).
constexpr unsigned oldest_major = 4;
constexpr std::string_view prefix = "/v4.0.0";

constexpr std::size_t longest_quote = 80;

struct Action {
    std::string_view name;
    Type type;
};
// A restart is told as restart, died, init and start.
constexpr std::array<Action, 6> actions{{{"start", Type::started},
                                         {"died", Type::exited},
                                         {"remove", Type::removed},
                                         {"pause", Type::paused},
                                         {"unpause", Type::unpaused},
                                         {"rename", Type::renamed}}};

// A checkpoint may end the run and a restore begin one; neither is told otherwise.
constexpr std::array<std::string_view, 2> unclear_actions{"checkpoint", "restore"};

// An initial process of the user's: not yet there when it is created or initialised, where runc's waits.
bool is_alive(std::string_view state) {
    return state == "running" || state == "paused" || state == "stopping";
}

// Fills in the labels, what follows from them, and those that follow from the rest of the container.
void set_labels(Container& container, std::vector<Labels::Entry> entries) {
    if (!container.pod_id.empty()) entries.emplace_back(pod_id_label, container.pod_id);
    if (!container.pod.empty()) entries.emplace_back(pod_name_label, container.pod);
    if (container.sandbox) entries.emplace_back(infra_label, "");
    if (container.privileged) entries.emplace_back(privileged_label, "");
    container.labels = std::make_shared<const Labels>(std::move(entries));
    container.project = project_of(*container.labels);
}

// What is not a label is set after the labels and can be believed.
ContainerPtr event_container(const Value& root, std::string id) {
    auto container = std::make_shared<Container>();
    container->id = std::move(id);
    container->name = json::text_at(root, {"Actor", "Attributes", "name"});
    container->image = json::text_at(root, {"Actor", "Attributes", "image"});
    container->pod_id = json::text_at(root, {"Actor", "Attributes", "podId"});
    set_labels(*container, rest::label_entries(json::find(root, {"Actor", "Attributes"}),
                                               {"name", "image", "podId", "containerExitCode"}));
    return container;
}

std::optional<int> exit_code_in(const Value& root) {
    const auto code = rest::number_in<int>(json::text_at(root, {"Actor", "Attributes", "containerExitCode"}));
    return code && *code >= 0 ? code : std::nullopt;  // -1 is Podman's word for unknown
}

std::optional<RealTime> seconds_at(const Value& from, json::Path path) {
    const auto seconds = json::integer_at(from, path);
    constexpr std::int64_t latest = std::numeric_limits<std::int64_t>::max() / 1'000'000'000;
    if (!seconds || *seconds <= 0 || *seconds > latest) return std::nullopt;
    return RealTime{std::chrono::seconds(*seconds)};
}

bool tells_of_rotation(const Value& root) {
    return json::text_at(root, {"Type"}) == "system" && json::text_at(root, {"Action"}) == "log-rotation";
}

std::string first_name(const Value& entry) {
    const Value* names = json::find(entry, {"Names"});
    if (names == nullptr || !names->IsArray() || names->Empty() || !(*names)[0].IsString()) return {};
    return valid_utf8(json::raw_text((*names)[0]), longest_name);
}

}  // namespace

rest::Greeting decode_version(const std::string* header) {
    rest::Greeting greeting;
    const std::string version = header != nullptr ? *header : "";
    const auto major = rest::number_in<unsigned>(std::string_view(version).substr(0, version.find('.')));
    if (!major) {
        greeting.refusal_kind = EngineError::Kind::protocol;
        greeting.refusal = header == nullptr
                               ? "there is no Libpod-Api-Version in its answer; is this Podman?"
                               : "its Libpod-Api-Version is '" + http::excerpt(version, longest_quote) +
                                     "'; is this Podman?";
    } else if (*major < oldest_major) {
        greeting.refusal = "this is Podman " + http::excerpt(version, longest_quote) +
                           "; Podman 4.0 is the oldest that can be watched";
    }
    greeting.prefix = prefix;
    return greeting;
}

rest::EventLine decode_event(std::string json) {
    const json::Document document(std::move(json));
    const Value& root = document.root();
    rest::EventLine line;
    auto head = rest::read_event_head(root, line);
    if (!head && tells_of_rotation(root)) line.rotated = rest::event_time(root);
    if (!head) return line;
    const auto action = std::ranges::find(actions, head->action, &Action::name);
    if (action != actions.end()) {
        ContainerEvent event{action->type, event_container(root, std::move(head->id)), head->time,
                             std::nullopt};
        if (event.type == Type::exited) event.exit_code = exit_code_in(root);
        line.event = std::move(event);
    } else if (std::ranges::find(unclear_actions, head->action) != unclear_actions.end()) {
        line.gap = std::string(head->action) + " of container " + head->id;
    }
    return line;
}

rest::ContainerList decode_list(std::string json) {
    return rest::read_list(std::move(json), [](const Value& entry, std::string id) -> ContainerPtr {
        const std::string state = json::text_at(entry, {"State"});
        const std::uint32_t pid = rest::pid_at(entry, {"Pid"});
        if (!is_alive(state) || pid == 0) return nullptr;
        auto container = std::make_shared<Container>();
        container->id = std::move(id);
        container->name = first_name(entry);
        container->image = json::text_at(entry, {"Image"});
        container->pid = pid;
        container->started = seconds_at(entry, {"StartedAt"});
        container->paused = state == "paused";
        container->pod = json::text_at(entry, {"PodName"});
        container->pod_id = json::text_at(entry, {"Pod"});
        container->sandbox = json::flag_at(entry, {"IsInfra"});
        set_labels(*container, rest::label_entries(json::find(entry, {"Labels"})));
        return container;
    });
}

Inspection decode_inspection(std::string json) {
    const json::Document document(std::move(json));
    const Value& root = document.root();
    const auto container = std::make_shared<Container>();
    const Value& state = rest::read_inspected(root, *container);

    Inspection inspection;
    const std::string status = json::text_at(state, {"Status"});
    const std::uint32_t pid = rest::pid_at(state, {"Pid"});
    inspection.alive = is_alive(status) && pid != 0;
    container->pid = inspection.alive ? pid : 0;
    container->paused = inspection.alive && status == "paused";
    container->name = json::text_at(root, {"Name"});
    container->image = json::text_at(root, {"ImageName"});
    container->pod_id = json::text_at(root, {"Pod"});
    container->sandbox = json::flag_at(root, {"IsInfra"});
    set_labels(*container, rest::label_entries(json::find(root, {"Config", "Labels"})));
    // What a living container says of exits is about the run before; one that never started has none.
    if (!inspection.alive && container->started) {
        rest::read_exit(state, inspection);
        // The end is the time of a file, by the kernel's coarse clock: some milliseconds early.
        if (inspection.finished) inspection.finished = std::max(*inspection.finished, *container->started);
        if (inspection.exit_code && *inspection.exit_code < 0) inspection.exit_code.reset();
    }
    inspection.container = container;
    return inspection;
}

std::string decode_pod_name(std::string json) {
    const json::Document document(std::move(json));
    return json::text_at(document.root(), {"Name"});
}

rest::EngineInfo decode_info(std::string json) {
    const json::Document document(std::move(json));
    const Value& root = document.root();
    if (!root.IsObject()) throw json::Malformed("what the engine says of itself is no JSON object");
    rest::EngineInfo info;
    info.version = json::text_at(root, {"version", "Version"});
    const std::string host = json::text_at(root, {"host", "hostname"});
    const std::string store = json::text_at(root, {"store", "graphRoot"});
    if (!host.empty() && !store.empty()) info.id = host + ":" + store;
    return info;
}

ContainerPtr with_pod_name(const Container& container, const std::string& name) {
    auto copy = std::make_shared<Container>(container);
    copy->pod = name;
    copy->labels = std::make_shared<const Labels>(container.labels->with(std::string(pod_name_label), name));
    return copy;
}

}  // namespace shorewatch::podman
