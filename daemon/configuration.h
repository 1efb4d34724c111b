// The configuration: what the file says, checked, as immutable values.
#pragma once

#include <filesystem>
#include <stdexcept>
#include <string>
#include <vector>

#include "engines/endpoint.h"

namespace shorewatch {

// One [[engine]] table.
struct EngineConfiguration {
    std::string name;  // unique; [A-Za-z0-9][A-Za-z0-9_.-]*, at most 64 characters: it becomes an object path element
    std::string type = "docker";  // one the factory knows: "docker"
    Endpoint endpoint;
    bool enabled = true;

    bool operator==(const EngineConfiguration&) const = default;
};

struct Configuration {
    std::vector<EngineConfiguration> engines;  // in the order of the file; names are unique

    bool operator==(const Configuration&) const = default;
};

// A configuration that can't be used. what() is one line: "FILE:LINE:COLUMN: what is wrong; what was expected".
class ConfigurationError : public std::runtime_error {
  public:
    using std::runtime_error::runtime_error;
};

// Where the system's configuration is, and, for --user, a user's ($XDG_CONFIG_HOME or ~/.config).
[[nodiscard]] std::filesystem::path default_configuration_file(bool user);

// Reads file and the *.toml of the folder FILE.d beside it (shorewatch.toml.d), in the order of their names. A later
// [[engine]] with the name of an earlier one changes the keys it names and leaves the others (systemd's drop-ins work
// like this). must_exist: file was named by the user, so its absence is an error. With no engine in any file:
// default_engines(user). Throws ConfigurationError.
[[nodiscard]] Configuration read_configuration(const std::filesystem::path& file, bool must_exist, bool user);

// What is watched when nobody has said anything: Docker on /run/docker.sock; for a user, $XDG_RUNTIME_DIR/docker.sock.
[[nodiscard]] std::vector<EngineConfiguration> default_engines(bool user);

}  // namespace shorewatch
