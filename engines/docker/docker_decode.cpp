#include "engines/docker/docker_decode.h"

#include <algorithm>
#include <array>
#include <initializer_list>
#include <utility>

#include "engines/http/json.h"
#include "engines/rest/decode.h"
#include "engines/support/text.h"

namespace shorewatch::docker {

namespace {

using json::Value;
using Type = ContainerEvent::Type;

struct Action {
    std::string_view name;
    Type type;
};
constexpr std::array<Action, 6> actions{{{"start", Type::started},
                                         {"die", Type::exited},
                                         {"pause", Type::paused},
                                         {"unpause", Type::unpaused},
                                         {"rename", Type::renamed},
                                         {"oom", Type::oom}}};

std::string without_slash(std::string name) {
    if (name.starts_with('/')) name.erase(0, 1);
    return name;
}

// Fills in labels and what follows from them. Members of object named in without are not labels; may be null.
void set_labels(Container& container, const Value* object,
                std::initializer_list<std::string_view> without = {}) {
    // The die event's exitCode is set before the labels are, which then replace it.
    std::vector<Labels::Entry> entries = rest::label_entries(object, without);
    container.exit_events_tell_code =
        std::ranges::find(entries, "exitCode", &Labels::Entry::first) == entries.end();
    container.labels = std::make_shared<const Labels>(std::move(entries));
    container.project = project_of(*container.labels);
}

// name and image are set after the labels and can be believed; what else an action adds is not a label
// either.
ContainerPtr event_container(const Value& root, std::string id, Type type) {
    auto container = std::make_shared<Container>();
    container->id = std::move(id);
    container->name = without_slash(json::text_at(root, {"Actor", "Attributes", "name"}));
    container->image = json::text_at(root, {"Actor", "Attributes", "image"});
    const Value* attributes = json::find(root, {"Actor", "Attributes"});
    if (type == Type::exited) {
        set_labels(*container, attributes, {"name", "image", "exitCode", "execDuration"});
    } else if (type == Type::renamed) {
        set_labels(*container, attributes, {"name", "image", "oldName"});
    } else {
        set_labels(*container, attributes, {"name", "image"});
    }
    return container;
}

// Of the names with links in them ("/parent/alias") none is the container's own.
std::string own_name(const Value& entry) {
    const Value* names = json::find(entry, {"Names"});
    if (names == nullptr || !names->IsArray()) return {};
    std::string_view best;
    for (const Value& name : names->GetArray()) {
        if (!name.IsString()) continue;
        const std::string_view text = json::raw_text(name);
        const bool own = text.find('/', 1) == std::string_view::npos;
        if (own || best.empty()) best = text;
        if (own) break;
    }
    return without_slash(valid_utf8(best, longest_name));
}

bool is_dead_state(std::string_view state) {
    static constexpr std::array<std::string_view, 5> dead{"created", "restarting", "removing", "exited",
                                                          "dead"};
    return std::ranges::find(dead, state) != dead.end();
}

}  // namespace

std::string ApiVersion::text() const {
    return std::to_string(major) + "." + std::to_string(minor);
}

std::optional<ApiVersion> ApiVersion::parse(std::string_view text) {
    const std::size_t dot = text.find('.');
    if (dot == std::string_view::npos) return std::nullopt;
    const auto major = rest::number_in<unsigned>(text.substr(0, dot));
    const auto minor = rest::number_in<unsigned>(text.substr(dot + 1));
    if (!major || !minor) return std::nullopt;
    return ApiVersion{*major, *minor};
}

const std::vector<std::string_view>& known_actions() {
    static const std::vector<std::string_view> names = [] {
        std::vector<std::string_view> result;
        result.reserve(actions.size());
        for (const Action& action : actions)
            result.push_back(action.name);
        return result;
    }();
    return names;
}

rest::EventLine decode_event(std::string json) {
    const json::Document document(std::move(json));
    const Value& root = document.root();
    rest::EventLine line;
    auto head = rest::read_event_head(root, line);
    const auto action = std::ranges::find(actions, head ? head->action : "", &Action::name);
    if (action == actions.end()) return line;

    ContainerEvent event{action->type, event_container(root, std::move(head->id), action->type), head->time,
                         std::nullopt};
    if (event.type == Type::exited) {
        event.exit_code = rest::number_in<int>(json::text_at(root, {"Actor", "Attributes", "exitCode"}));
    }
    line.event = std::move(event);
    return line;
}

rest::ContainerList decode_list(std::string json) {
    return rest::read_list(std::move(json), [](const Value& entry, std::string id) -> ContainerPtr {
        const std::string state = json::text_at(entry, {"State"});
        if (is_dead_state(state)) return nullptr;
        auto container = std::make_shared<Container>();
        container->id = std::move(id);
        container->name = own_name(entry);
        container->image = json::text_at(entry, {"Image"});
        container->paused = state == "paused";
        set_labels(*container, json::find(entry, {"Labels"}));
        return container;
    });
}

Inspection decode_inspection(std::string json) {
    const json::Document document(std::move(json));
    const Value& root = document.root();
    const auto container = std::make_shared<Container>();
    const Value& state = rest::read_inspected(root, *container);

    Inspection inspection;
    const std::uint32_t pid = rest::pid_at(state, {"Pid"});
    inspection.alive = json::flag_at(state, {"Running"}) && !json::flag_at(state, {"Restarting"}) && pid != 0;
    container->pid = inspection.alive ? pid : 0;
    container->paused = inspection.alive && json::flag_at(state, {"Paused"});
    container->name = without_slash(json::text_at(root, {"Name"}));
    container->image = json::text_at(root, {"Config", "Image"});
    set_labels(*container, json::find(root, {"Config", "Labels"}));
    // What a living container says of exits is about the run before; one that never started has none.
    if (!inspection.alive && container->started) rest::read_exit(state, inspection);
    inspection.container = container;
    return inspection;
}

rest::EngineInfo decode_info(std::string json) {
    const json::Document document(std::move(json));
    const Value& root = document.root();
    if (!root.IsObject()) throw json::Malformed("what the engine says of itself is no JSON object");
    return {json::text_at(root, {"ID"}), json::text_at(root, {"ServerVersion"}),
            rest::time_at(root, {"SystemTime"})};
}

}  // namespace shorewatch::docker
