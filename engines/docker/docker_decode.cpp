#include "engines/docker/docker_decode.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <initializer_list>
#include <limits>

#include "engines/http/json.h"
#include "engines/support/text.h"

namespace shorewatch::docker {

namespace {

using json::Value;
using Type = ContainerEvent::Type;

constexpr std::size_t longest_id = 256;
// Ten times what has been seen on one host. A list of nothing but ids could hold millions within its limit of
// bytes.
constexpr std::size_t most_containers = 100'000;

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

template <typename Number>
std::optional<Number> number_in(std::string_view text) {
    Number number{};
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
    return number;
}

// The id as it came, if it can be one: it is asked for again, so it is either kept to the byte or not used.
std::string sane_id(const Value& from, json::Path path) {
    const Value* id = json::find(from, path);
    if (id == nullptr || !id->IsString()) return {};
    const std::string_view raw = json::raw_text(*id);
    return raw.size() <= longest_id && valid_utf8(raw) == raw ? std::string(raw) : std::string{};
}

std::string without_slash(std::string name) {
    if (name.starts_with('/')) name.erase(0, 1);
    return name;
}

// Fills in labels and what follows from them. Members of object named in without are not labels; may be null.
void set_labels(Container& container, const Value* object,
                std::initializer_list<std::string_view> without = {}) {
    if (object == nullptr || !object->IsObject()) return;
    std::vector<Labels::Entry> entries;
    entries.reserve(object->MemberCount());
    for (const auto& [key, value] : object->GetObject()) {
        const std::string_view name = json::raw_text(key);
        if (!value.IsString() || std::ranges::find(without, name) != without.end()) continue;
        // The die event's exitCode is set before the labels are, which then replace it.
        if (name == "exitCode") container.exit_events_tell_code = false;
        entries.emplace_back(name, json::raw_text(value));
    }
    container.labels = std::make_shared<const Labels>(std::move(entries));
    container.project = project_of(*container.labels);
}

std::optional<RealTime> exact_event_time(const Value& root) {
    const auto nanoseconds = json::integer_at(root, {"timeNano"});
    if (!nanoseconds || *nanoseconds <= 0) return std::nullopt;
    return RealTime{std::chrono::nanoseconds(*nanoseconds)};
}

std::optional<RealTime> coarse_event_time(const Value& root) {
    const auto seconds = json::integer_at(root, {"time"});
    constexpr std::int64_t latest = std::numeric_limits<std::int64_t>::max() / 1'000'000'000;
    if (!seconds || *seconds <= 0 || *seconds > latest) return std::nullopt;
    return RealTime{std::chrono::seconds(*seconds)};
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

std::string complaint_in(const Value& root) {
    for (const std::string_view key : {"message", "error", "cause"}) {
        if (std::string words = json::text_at(root, {key}); !words.empty()) return words;
    }
    return {};
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

std::optional<RealTime> time_at(const Value& from, json::Path path) {
    return parse_rfc3339(json::text_at(from, path));
}

std::uint32_t pid_in(const Value& state) {
    const auto pid = json::integer_at(state, {"Pid"}).value_or(0);
    return pid > 0 && pid <= std::numeric_limits<std::int32_t>::max() ? static_cast<std::uint32_t>(pid) : 0;
}

}  // namespace

std::string ApiVersion::text() const {
    return std::to_string(major) + "." + std::to_string(minor);
}

std::optional<ApiVersion> ApiVersion::parse(std::string_view text) {
    const std::size_t dot = text.find('.');
    if (dot == std::string_view::npos) return std::nullopt;
    const auto major = number_in<unsigned>(text.substr(0, dot));
    const auto minor = number_in<unsigned>(text.substr(dot + 1));
    if (!major || !minor) return std::nullopt;
    return ApiVersion{*major, *minor};
}

const std::vector<std::string_view>& known_actions() {
    static const std::vector<std::string_view> names = [] {
        std::vector<std::string_view> result;
        for (const Action& action : actions)
            result.push_back(action.name);
        return result;
    }();
    return names;
}

EventLine decode_event(std::string json) {
    const json::Document document(std::move(json));
    const Value& root = document.root();
    const std::string type = json::text_at(root, {"Type"});
    const std::string name = json::text_at(root, {"Action"});
    EventLine line;
    if (type.empty() && name.empty()) {
        line.complaint = complaint_in(root);
        return line;
    }
    const auto action = std::ranges::find(actions, name, &Action::name);
    std::string id = sane_id(root, {"Actor", "ID"});
    auto time = exact_event_time(root);
    line.exact_time = time.has_value();
    if (!time) time = coarse_event_time(root);
    if (type != "container" || action == actions.end() || id.empty() || !time) return line;

    ContainerEvent event{action->type, event_container(root, std::move(id), action->type), *time,
                         std::nullopt};
    if (event.type == Type::exited) {
        event.exit_code = number_in<int>(json::text_at(root, {"Actor", "Attributes", "exitCode"}));
    }
    line.event = std::move(event);
    return line;
}

ContainerList decode_list(std::string json) {
    const json::Document document(std::move(json));
    if (!document.root().IsArray()) throw json::Malformed("the list of containers is no JSON array");
    if (document.root().Size() > most_containers) {
        throw json::Malformed("the list is of more than " + std::to_string(most_containers) + " containers");
    }
    ContainerList list;
    list.containers.reserve(document.root().Size());
    for (const Value& entry : document.root().GetArray()) {
        std::string id = sane_id(entry, {"Id"});
        if (id.empty()) {
            ++list.skipped;
            continue;
        }
        const std::string state = json::text_at(entry, {"State"});
        if (is_dead_state(state)) continue;
        auto container = std::make_shared<Container>();
        container->id = std::move(id);
        container->name = own_name(entry);
        container->image = json::text_at(entry, {"Image"});
        container->paused = state == "paused";
        set_labels(*container, json::find(entry, {"Labels"}));
        list.containers.push_back(std::move(container));
    }
    return list;
}

Inspection decode_inspection(std::string json) {
    const json::Document document(std::move(json));
    const Value& root = document.root();
    const Value* state = json::find(root, {"State"});
    auto container = std::make_shared<Container>();
    container->id = sane_id(root, {"Id"});
    if (container->id.empty()) throw json::Malformed("the container described has no usable id");
    if (state == nullptr || !state->IsObject()) throw json::Malformed("the container described has no state");

    Inspection inspection;
    const std::uint32_t pid = pid_in(*state);
    inspection.alive =
        json::flag_at(*state, {"Running"}) && !json::flag_at(*state, {"Restarting"}) && pid != 0;
    container->pid = inspection.alive ? pid : 0;
    container->paused = inspection.alive && json::flag_at(*state, {"Paused"});
    container->started = time_at(*state, {"StartedAt"});
    container->name = without_slash(json::text_at(root, {"Name"}));
    container->image = json::text_at(root, {"Config", "Image"});
    container->privileged = json::flag_at(root, {"HostConfig", "Privileged"});
    set_labels(*container, json::find(root, {"Config", "Labels"}));
    // What a living container says of exits is about the run before; one that never started has none.
    if (!inspection.alive && container->started) {
        const auto code = json::integer_at(*state, {"ExitCode"});
        const bool fits = code && std::in_range<int>(*code);
        inspection.exit_code = fits ? std::optional(static_cast<int>(*code)) : std::nullopt;
        inspection.finished = time_at(*state, {"FinishedAt"});
        inspection.oom_killed = json::flag_at(*state, {"OOMKilled"});
    }
    inspection.container = std::move(container);
    return inspection;
}

EngineInfo decode_info(std::string json) {
    const json::Document document(std::move(json));
    const Value& root = document.root();
    if (!root.IsObject()) throw json::Malformed("what the engine says of itself is no JSON object");
    return {json::text_at(root, {"ID"}), json::text_at(root, {"ServerVersion"}),
            time_at(root, {"SystemTime"})};
}

}  // namespace shorewatch::docker
