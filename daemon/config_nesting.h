// Refuses text that is nested too deeply to be parsed.
#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

namespace shorewatch::config {

// How many brackets may be open at a time, and how many dots may be in one key. The configuration needs two.
inline constexpr std::size_t deepest_nesting = 16;

struct TextPosition {
    unsigned line = 1;
    unsigned column = 1;  // in characters, as toml++ counts
};

// Where TOML text goes deeper than deepest_nesting, if it does. Text that is not TOML is judged up to its
// first error; what follows may be judged wrongly, but a parser doesn't come that far.
[[nodiscard]] std::optional<TextPosition> too_deep(std::string_view text);

}  // namespace shorewatch::config
