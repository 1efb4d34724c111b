#include "tests/fakes/event_log.h"

#include <algorithm>
#include <charconv>
#include <ranges>
#include <stdexcept>

#include <rapidjson/document.h>

namespace shorewatch::fakes {

namespace {

std::int64_t parse_number(std::string_view text) {
    std::int64_t number = 0;
    const char* end = text.data() + text.size();
    if (const auto [stopped, error] = std::from_chars(text.data(), end, number);
        error != std::errc{} || stopped != end) {
        throw std::invalid_argument("strconv.ParseInt: parsing \"" + std::string(text) +
                                    "\": invalid syntax");
    }
    return number;
}

}  // namespace

std::set<std::string> filter_values(const std::string& json, const char* kind) {
    std::set<std::string> result;
    if (json.empty()) return result;
    rapidjson::Document document;
    document.Parse(json.c_str());
    if (!document.IsObject()) throw std::invalid_argument("invalid character in filters");
    const auto filter = document.FindMember(kind);
    if (filter == document.MemberEnd()) return result;
    if (filter->value.IsArray()) {
        for (const auto& value : filter->value.GetArray())
            result.insert(value.GetString());
    } else if (filter->value.IsObject()) {
        for (const auto& member : filter->value.GetObject())
            result.insert(member.name.GetString());
    }
    return result;
}

EventFilter EventFilter::parse(const std::string& json) {
    EventFilter filter;
    filter.types_ = filter_values(json, "type");
    filter.actions_ = filter_values(json, "event");
    return filter;
}

bool EventFilter::takes(const DockerEvent& event) const {
    // "exec_start: COMMAND" is found as exec_start.
    const std::string action = event.action.substr(0, event.action.find(':'));
    return (types_.empty() || types_.contains(event.type)) &&
           (actions_.empty() || actions_.contains(event.action) || actions_.contains(action));
}

RealTime parse_since(std::string_view text) {
    if (const auto time = parse_rfc3339(text)) return *time;
    const std::size_t point = text.find('.');
    const RealTime time{std::chrono::seconds(parse_number(text.substr(0, point)))};
    if (point == std::string_view::npos) return time;
    std::string decimals(text.substr(point + 1));
    decimals.resize(9, '0');
    return time + std::chrono::nanoseconds(parse_number(decimals));
}

void EventLog::add(DockerEvent event) {
    if (events_.size() == capacity) events_.pop_front();
    events_.push_back(std::move(event));
}

std::vector<DockerEvent> EventLog::replay(RealTime since) const {
    const auto older = std::ranges::find_if(std::views::reverse(events_),
                                            [&](const DockerEvent& event) { return event.time < since; });
    return {older.base(), events_.end()};
}

}  // namespace shorewatch::fakes
