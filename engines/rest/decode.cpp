#include "engines/rest/decode.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "engines/support/text.h"

namespace shorewatch::rest {

namespace {

using json::Value;

constexpr std::size_t longest_id = 256;
// Ten times what has been seen on one host. A list of nothing but ids could hold millions within its limit of
// bytes.
constexpr std::size_t most_containers = 100'000;

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

std::string complaint_in(const Value& root) {
    for (const std::string_view key : {"message", "error", "cause"}) {
        if (std::string words = json::text_at(root, {key}); !words.empty()) return words;
    }
    return {};
}

}  // namespace

std::string sane_id(const Value& from, json::Path path) {
    const Value* id = json::find(from, path);
    if (id == nullptr || !id->IsString()) return {};
    const std::string_view raw = json::raw_text(*id);
    return raw.size() <= longest_id && valid_utf8(raw) == raw ? std::string(raw) : std::string{};
}

std::optional<RealTime> time_at(const Value& from, json::Path path) {
    return parse_rfc3339(json::text_at(from, path));
}

std::uint32_t pid_at(const Value& from, json::Path path) {
    const auto pid = json::integer_at(from, path).value_or(0);
    return pid > 0 && pid <= std::numeric_limits<std::int32_t>::max() ? static_cast<std::uint32_t>(pid) : 0;
}

std::optional<RealTime> event_time(const Value& root) {
    const auto exact = exact_event_time(root);
    return exact ? exact : coarse_event_time(root);
}

std::vector<Labels::Entry> label_entries(const Value* object,
                                         std::initializer_list<std::string_view> without) {
    std::vector<Labels::Entry> entries;
    if (object == nullptr || !object->IsObject()) return entries;
    entries.reserve(object->MemberCount());
    for (const auto& [key, value] : object->GetObject()) {
        const std::string_view name = json::raw_text(key);
        if (!value.IsString() || std::ranges::find(without, name) != without.end()) continue;
        entries.emplace_back(name, json::raw_text(value));
    }
    return entries;
}

std::optional<EventHead> read_event_head(const Value& root, EventLine& line) {
    const std::string type = json::text_at(root, {"Type"});
    const Value* action = json::find(root, {"Action"});
    const std::string_view name =
        action != nullptr && action->IsString() ? json::raw_text(*action) : std::string_view{};
    if (type.empty() && name.empty()) {
        line.complaint = complaint_in(root);
        return std::nullopt;
    }
    std::string id = sane_id(root, {"Actor", "ID"});
    const auto time = event_time(root);
    line.exact_time = exact_event_time(root).has_value();
    if (type != "container" || name.empty() || id.empty() || !time) return std::nullopt;
    return EventHead{name, std::move(id), *time};
}

ContainerList read_list(std::string json,
                        const std::function<ContainerPtr(const Value& entry, std::string id)>& entry) {
    const json::Document document(std::move(json));
    const Value& root = document.root();
    if (!root.IsArray()) throw json::Malformed("the list of containers is no JSON array");
    if (root.Size() > most_containers) {
        throw json::Malformed("the list is of more than " + std::to_string(most_containers) + " containers");
    }
    ContainerList list;
    list.containers.reserve(root.Size());
    for (const Value& element : root.GetArray()) {
        std::string id = sane_id(element, {"Id"});
        if (id.empty()) {
            ++list.skipped;
        } else if (ContainerPtr container = entry(element, std::move(id))) {
            list.containers.push_back(std::move(container));
        }
    }
    return list;
}

const Value& read_inspected(const Value& root, Container& container) {
    container.id = sane_id(root, {"Id"});
    if (container.id.empty()) throw json::Malformed("the container described has no usable id");
    const Value* state = json::find(root, {"State"});
    if (state == nullptr || !state->IsObject()) throw json::Malformed("the container described has no state");
    container.started = time_at(*state, {"StartedAt"});
    container.privileged = json::flag_at(root, {"HostConfig", "Privileged"});
    return *state;
}

void read_exit(const Value& state, Inspection& inspection) {
    const auto code = json::integer_at(state, {"ExitCode"});
    const bool fits = code && std::in_range<int>(*code);
    inspection.exit_code = fits ? std::optional(static_cast<int>(*code)) : std::nullopt;
    inspection.finished = time_at(state, {"FinishedAt"});
    inspection.oom_killed = json::flag_at(state, {"OOMKilled"});
}

}  // namespace shorewatch::rest
