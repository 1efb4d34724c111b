// How failures to get something from an engine are put to a person: one wording for all engines.
#pragma once

#include <chrono>
#include <cstddef>
#include <string>
#include <string_view>

#include "engines/endpoint.h"
#include "engines/result.h"

namespace shorewatch {

// "cannot PURPOSE at URL: CAUSE". purpose completes "cannot …", as "list containers". The text is made
// printable.
[[nodiscard]] EngineError make_error(EngineError::Kind kind, std::string_view purpose,
                                     const Endpoint& endpoint, std::string_view cause);

// Why connect(2) to the unix socket at path failed with this errno, and what to do. Looks at the file too,
// where that tells more than errno does.
[[nodiscard]] std::string unix_socket_cause(const std::string& path, int error);

// text, or its first bytes (at most so many) and an ellipsis.
[[nodiscard]] std::string excerpt(std::string_view text, std::size_t most);

// "10 s", "0.25 s"
[[nodiscard]] std::string in_seconds(std::chrono::milliseconds duration);

}  // namespace shorewatch
