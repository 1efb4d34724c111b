// Files that people and this daemon keep for the task engine, read at once and within bounds, whatever stands
// in their place.
#pragma once

#include <cstddef>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace shorewatch {

// The text of a regular file of at most `most` bytes; nothing where there is no file. Does not block. Throws
// std::runtime_error: one printable line with the file's name.
[[nodiscard]] std::optional<std::string> read_small_file(const std::filesystem::path& file, std::size_t most);

// The names of the folder's regular and linked *.json, sorted, hidden ones left out; none where there is no
// folder. Throws as above.
[[nodiscard]] std::vector<std::string> json_files_in(const std::filesystem::path& folder);

}  // namespace shorewatch
