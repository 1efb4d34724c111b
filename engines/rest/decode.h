// What the answers of Docker and Podman have in common, and how it is read without trusting its shape.
#pragma once

#include <charconv>
#include <concepts>
#include <cstdint>
#include <functional>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engines/container.h"
#include "engines/engine_client.h"
#include "engines/http/json.h"
#include "engines/rest/dialect.h"
#include "engines/support/timestamp.h"

namespace shorewatch::rest {

// All of text as a decimal number; nothing if it is none or doesn't fit.
template <std::integral Number>
[[nodiscard]] std::optional<Number> number_in(std::string_view text) {
    Number number{};
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
    return number;
}

// The id as it came, if it can be one, or "": it is asked for again, so it is either kept to the byte or not
// used.
[[nodiscard]] std::string sane_id(const json::Value& from, json::Path path);

// RFC 3339; nothing for anything else, and for the year 1, which is Go's word for never.
[[nodiscard]] std::optional<RealTime> time_at(const json::Value& from, json::Path path);

// 0 when missing, or no pid.
[[nodiscard]] std::uint32_t pid_at(const json::Value& from, json::Path path);

// The members of object that are strings, without those named. object may be null or no object: none.
[[nodiscard]] std::vector<Labels::Entry> label_entries(const json::Value* object,
                                                       std::initializer_list<std::string_view> without = {});

// When an event happened, as exactly as it is told.
[[nodiscard]] std::optional<RealTime> event_time(const json::Value& root);

// What an event of a container begins with. The view points into the document.
struct EventHead {
    std::string_view action;
    std::string id;
    RealTime time;
};
// Nothing when it is no usable event of a container; line's complaint and exact_time are set.
[[nodiscard]] std::optional<EventHead> read_event_head(const json::Value& root, EventLine& line);

// An array of at most 100,000 objects with an "Id": entry is called for each, and its null is left out.
// Throws json::Malformed.
[[nodiscard]] ContainerList read_list(
    std::string json, const std::function<ContainerPtr(const json::Value& entry, std::string id)>& entry);

// Fills in the id, the start of the last run and whether it is privileged; the "State" of the container.
// Throws json::Malformed without a usable id or a state.
const json::Value& read_inspected(const json::Value& root, Container& container);

// Fills in how a run ended, from an inspection's "State".
void read_exit(const json::Value& state, Inspection& inspection);

}  // namespace shorewatch::rest
