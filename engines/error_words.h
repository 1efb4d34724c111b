// The kind of an error by what it says, where an engine tells it by nothing else.
#pragma once

#include <algorithm>
#include <optional>
#include <span>
#include <string_view>

#include "engines/result.h"

namespace shorewatch {

struct ErrorWords {
    std::string_view part;
    EngineError::Kind kind;
};

// Of the first that is found in text.
[[nodiscard]] inline std::optional<EngineError::Kind> kind_in(std::string_view text,
                                                              std::span<const ErrorWords> known) {
    const auto found = std::ranges::find_if(
        known, [text](const ErrorWords& words) { return text.find(words.part) != std::string_view::npos; });
    if (found == known.end()) return std::nullopt;
    return found->kind;
}

}  // namespace shorewatch
