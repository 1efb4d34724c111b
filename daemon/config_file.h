// Reads the files of the configuration, whatever stands in their place.
#pragma once

#include <cstddef>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace shorewatch::config {

inline constexpr std::size_t largest_file = std::size_t{1024} * 1024;  // bytes
inline constexpr std::size_t most_drop_ins = 1000;

// The text of a regular file or of a symlink to one; nothing when the path doesn't exist. Throws
// ConfigurationError for everything else: a dangling symlink, a folder, a fifo (never waited for), no
// permission, more than largest_file.
[[nodiscard]] std::optional<std::string> read_text(const std::filesystem::path& file);

// The *.toml of the folder FILE.d in the bytewise order of their names, hidden ones left out (editors lock
// and back up in those); none when there is no such folder. Throws ConfigurationError when it can't be read
// or holds too many.
[[nodiscard]] std::vector<std::filesystem::path> drop_ins(const std::filesystem::path& file);

}  // namespace shorewatch::config
