// The command line of shorewatchd.
#pragma once

#include <filesystem>
#include <optional>

namespace shorewatch {

struct Options {
    std::filesystem::path configuration;
    bool configuration_named = false;  // by --config: then it must exist
    bool user = false;
    bool check = false;
    bool debug = false;
};

// The options, or the exit code with which to end at once (--help, --version, a wrong option), what there is
// to say having been said.
struct ParsedOptions {
    std::optional<Options> options;
    int exit_code = 0;
};
[[nodiscard]] ParsedOptions parse_options(int argc, char** argv);

}  // namespace shorewatch
