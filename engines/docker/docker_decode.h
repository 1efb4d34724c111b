// What Docker's JSON says, in this project's terms. Pure functions.
//
// Each takes the text over, to parse it in place, and throws json::Malformed when it is not what was asked
// for. Single entries that make no sense are skipped and counted instead: one odd container must not hide the
// others.
#pragma once

#include <compare>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engines/container.h"
#include "engines/engine_client.h"
#include "engines/rest/dialect.h"

namespace shorewatch::docker {

// A version of the Engine API, as in "/v1.41/".
struct ApiVersion {
    unsigned major = 0;
    unsigned minor = 0;

    auto operator<=>(const ApiVersion&) const = default;
    [[nodiscard]] std::string text() const;  // "1.41"
    // Nothing if text is not two numbers and a dot.
    [[nodiscard]] static std::optional<ApiVersion> parse(std::string_view text);
};

// One object of GET /events.
[[nodiscard]] rest::EventLine decode_event(std::string json);

// GET /containers/json, the living only. Docker's list tells neither pid nor start time.
[[nodiscard]] rest::ContainerList decode_list(std::string json);

// GET /containers/ID/json
[[nodiscard]] Inspection decode_inspection(std::string json);

// GET /info
[[nodiscard]] rest::EngineInfo decode_info(std::string json);

// The actions that decode_event knows, as they are asked for in filters=.
[[nodiscard]] const std::vector<std::string_view>& known_actions();

}  // namespace shorewatch::docker
