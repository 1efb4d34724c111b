// What could stand at the end of an unfinished command line, for the shells' completion functions beside this
// file: they know nothing themselves, so that they are right for each new command and option.
#pragma once

#include <string>
#include <vector>

#include <CLI/CLI.hpp>

namespace shorewatch::ctl {

// The command for that, which no person needs.
inline constexpr const char* completion_command = "__complete";

// words: what follows the program's name; the last one is unfinished. The first line says what the shell is
// to offer: "words", which are those in the lines that follow, with a tab and a description; or "files",
// "folders" or "commands", of which it knows itself.
[[nodiscard]] std::string completion(const CLI::App& app, const std::vector<std::string>& words);

}  // namespace shorewatch::ctl
