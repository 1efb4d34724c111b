// Files that are written in whole or not at all, also when the machine dies in the middle of it.
#pragma once

#include <filesystem>
#include <string>

namespace shorewatch {

// A temporary file beside it (FILE.new, for its owner alone), fsync, rename, fsync of the folder, which is
// made if it isn't there. Throws std::system_error: what() is one printable line with the file's name.
void write_whole_file(const std::filesystem::path& file, const std::string& text);

// Has what was made, renamed or removed in the folder on disk. Throws as above.
void sync_folder(const std::filesystem::path& folder);

}  // namespace shorewatch
