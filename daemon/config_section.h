// What one file of the configuration says: its [[engine]] tables, each checked by itself, before they are
// merged.
#pragma once

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
    std::optional<bool> enabled;
    std::optional<Located<TlsSection>> tls;
    std::optional<Located<std::vector<std::string>>> namespaces;  // each once
};

// The [[engine]] tables of TOML text, in its order. file is for messages. Throws ConfigurationError.
[[nodiscard]] std::vector<EngineSection> parse_sections(std::string_view text, const std::string& file);

}  // namespace shorewatch::config
