// Widths of text on a terminal: in columns, not in bytes or characters.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace shorewatch::ctl {

// The columns that text takes: East Asian wide characters two, combining ones none. text is printable UTF-8,
// as shown() makes it; whatever else is in it counts one column a byte. Independent of the locale.
[[nodiscard]] std::size_t columns_of(std::string_view text);

// text, or as much of its beginning as fits into width columns with an ellipsis at its end. Never cuts a
// character.
[[nodiscard]] std::string cut_to(std::string_view text, std::size_t width, bool unicode);

// Spaces after text, or before it, up to width columns.
[[nodiscard]] std::string padded(std::string_view text, std::size_t width, bool right = false);

}  // namespace shorewatch::ctl
