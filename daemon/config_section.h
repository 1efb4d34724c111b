// What one file of the configuration says, each of its [[engine]] tables checked by itself, before it is
// merged with others.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "daemon/config_location.h"

namespace shorewatch::config {

// certificate and key: both or neither. All are absolute paths.
struct TlsSection {
    std::optional<std::string> ca;
    std::optional<std::string> certificate;
    std::optional<std::string> key;
};

// An [[engine]] table. What the file doesn't say is absent: defaults come after merging.
struct EngineSection {
    Location where;
    std::optional<Located<std::string>> name;      // as EngineConfiguration::name has it
    std::optional<Located<std::string>> type;      // any text
    std::optional<Located<std::string>> endpoint;  // one that Endpoint::parse takes
    std::optional<Located<std::uint32_t>> user;    // his id
    std::optional<bool> enabled;
    std::optional<Located<TlsSection>> tls;
    std::optional<Located<std::vector<std::string>>> namespaces;  // each once
};

// What engines are looked for: none, those outside of containers, or those within as well.
enum class Discover { nothing, outside, deep };

// The [runtime] table.
struct RuntimeSection {
    std::optional<bool> enabled;
    std::optional<std::string> name_space;  // these two as containerd has names
    std::optional<std::string> snapshotter;
    std::optional<std::size_t> most_containers;
};

// The [tasks] table; paths are absolute.
struct TasksSection {
    std::optional<bool> enabled;
    std::optional<std::string> engine;  // as EngineConfiguration::name has it
    std::optional<std::string> folder;
    std::optional<std::string> credentials;
    std::optional<std::chrono::seconds> cleanup_after;
};

struct FileSection {
    std::vector<EngineSection> engines;  // in the order of the file
    std::optional<Discover> discover;
    std::optional<bool> discover_users;
    RuntimeSection runtime;
    TasksSection tasks;
};

// What TOML text says. file is for messages. Throws ConfigurationError.
[[nodiscard]] FileSection parse_file(std::string_view text, const std::string& file);

}  // namespace shorewatch::config
