// Text from engines is hostile: what makes it fit for D-Bus, for terminals and for logs.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace shorewatch {

// The most that is kept of a name or an image, in bytes: engines that are no liars stay far below (Docker
// refuses images of more than 255 characters), and a D-Bus message has its limits.
inline constexpr std::size_t longest_name = 4096;

// text with every byte that is not part of valid UTF-8, every surrogate, noncharacter and NUL replaced by
// U+FFFD: what a D-Bus string may hold (a bus closes the connection of whoever sends anything else), and what
// libsystemd sends. Of a text that comes to more than `most` bytes, as many whole characters as fit.
[[nodiscard]] std::string valid_utf8(std::string_view text, std::size_t most = std::string_view::npos);

// text as one harmless line: control characters (C0, DEL, C1), line separators, bidirectional overrides and
// noncharacters as \n, \t, \xNN or \u{NNNN}; invalid bytes as \xNN; a backslash stays as it is.
[[nodiscard]] std::string printable(std::string_view text);

// Can this be the name of one of containerd's namespaces, or the id of a container in it? As containerd
// checks it: up to 76 letters and digits, with single . _ - between them.
[[nodiscard]] bool is_containerd_name(std::string_view text);

}  // namespace shorewatch
