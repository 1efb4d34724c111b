// The configuration: what the file says, checked, as immutable values.
#pragma once

#include <chrono>
#include <compare>
#include <cstddef>
#include <filesystem>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "engines/endpoint.h"

namespace shorewatch {

// Each engine has a watcher thread of its own: a file that asks for more than this is a mistake.
inline constexpr std::size_t most_engines = 256;

// The container that an engine runs in.
struct Holder {
    std::string engine;  // the one that runs it, by name
    std::string id;

    auto operator<=>(const Holder&) const = default;
};

// One [[engine]] table, or an engine that was found.
struct EngineConfiguration {
    std::string
        name;  // unique; [A-Za-z0-9][A-Za-z0-9_.-]*, at most 64 characters: it becomes an object path element
    std::string type = "docker";  // one the factory knows
    Endpoint endpoint;
    bool enabled = true;  // false: named, but not watched
    // Of an engine that has namespaces ("containerd"): those that are watched; empty: those it watches unless
    // told otherwise.
    std::vector<std::string> namespaces = {};
    std::optional<Holder> holder = {};  // only of one that was found

    bool operator==(const EngineConfiguration&) const = default;
};

// The [runtime] table: containers that are made and run by way of the daemon, on engines that can
// (containerd).
struct RuntimeConfiguration {
    bool enabled = true;
    std::string name_space = "shorewatch";  // containerd's, where the caller names no other
    std::string snapshotter = "overlayfs";  // the same
    std::size_t most_containers = 1000;     // of one engine

    bool operator==(const RuntimeConfiguration&) const = default;
};

// The [tasks] table: sets of containers that are to run, on one engine.
struct TasksConfiguration {
    // Nothing: wherever there is an engine that can.
    std::optional<bool> enabled = {};
    std::string engine;                      // by name; "": the first that can
    std::filesystem::path folder = {};       // of task definitions; absolute
    std::filesystem::path credentials = {};  // of registries; empty: what systemd has loaded
    std::chrono::seconds cleanup_after = std::chrono::hours(3);  // of what has stopped

    bool operator==(const TasksConfiguration&) const = default;
};

struct Configuration {
    // In the order in which the files first name them; names are unique, at most most_engines.
    std::vector<EngineConfiguration> engines;
    // Engines at well-known sockets are watched too, unless an engine above has their name or their socket.
    bool discover = false;
    bool discover_users = false;   // those of users, below /run/user, as well; never without the others
    bool discover_nested = false;  // those in containers as well; never without the others
    RuntimeConfiguration runtime = {};
    TasksConfiguration tasks = {};

    bool operator==(const Configuration&) const = default;
};

// A configuration that can't be used. what() is one printable line: "FILE:LINE:COLUMN: what is wrong; what
// was expected", without line and column when the file can't be read at all. The column counts characters.
class ConfigurationError : public std::runtime_error {
  public:
    using std::runtime_error::runtime_error;
};

// Where the system's configuration is, and, for --user, a user's ($XDG_CONFIG_HOME or ~/.config). Throws
// ConfigurationError when the environment doesn't say where a user's is.
[[nodiscard]] std::filesystem::path default_configuration_file(bool user);

// Reads file and the *.toml of the folder FILE.d beside it (shorewatch.toml.d), in the order of their names.
// A later
// [[engine]] with the name of an earlier one changes the keys it names and leaves the others (systemd's
// drop-ins work like this); tls counts as one key. must_exist: file was named by the user, so its absence is
// an error. user: defaults are those of --user. known_types: what the factory can make an engine client of.
// Where no engine is enabled, discover is true unless a file says otherwise. Reads regular files alone, and
// of limited size, so it doesn't block. Throws ConfigurationError.
[[nodiscard]] Configuration read_configuration(const std::filesystem::path& file, bool must_exist, bool user,
                                               std::span<const std::string_view> known_types);

// Where the engines of the user who runs this have their sockets: $XDG_RUNTIME_DIR, or /run/user/UID without
// that variable.
[[nodiscard]] std::filesystem::path runtime_folder();

// Where the daemon keeps what is to outlive it: $STATE_DIRECTORY, which systemd sets, or /var/lib/shorewatch;
// of a user's own daemon without that variable, $XDG_STATE_HOME/shorewatch or ~/.local/state/shorewatch.
[[nodiscard]] std::filesystem::path state_folder(bool user);

}  // namespace shorewatch
