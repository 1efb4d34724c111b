#include "daemon/configuration.h"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <map>
#include <optional>
#include <stdexcept>
#include <string_view>
#include <utility>

#include <unistd.h>

#include "daemon/config_file.h"
#include "daemon/config_section.h"
#include "daemon/well_known_sockets.h"
#include "engines/support/text.h"

namespace shorewatch {

namespace {

namespace fs = std::filesystem;

using config::EngineSection;
using config::in_quotes;
using config::Located;
using config::reject;

constexpr std::string_view default_type = "docker";

// What an environment variable holds, if that is an absolute path: others are to be ignored (XDG Base
// Directory Specification).
std::optional<fs::path> path_from_environment(const char* variable) {
    const char* value = std::getenv(variable);
    if (value == nullptr || value[0] != '/') return std::nullopt;
    return fs::path(value);
}

// Nothing for a type that always has to be told.
std::optional<Endpoint> default_endpoint(std::string_view type, bool user) {
    const auto socket = std::ranges::find(well_known_sockets, type, &WellKnownSocket::type);
    if (socket == well_known_sockets.end()) return std::nullopt;
    if (user && socket->of_a_user.empty()) return std::nullopt;
    if (!user) return Endpoint::parse("/run/" + std::string(socket->system));
    try {
        return Endpoint::parse("unix://" + (runtime_folder() / socket->of_a_user).native());
    } catch (const std::invalid_argument& error) {
        throw ConfigurationError("the socket of " + std::string(socket->what) +
                                 ", in $XDG_RUNTIME_DIR: " + error.what());
    }
}

std::string name_of(const EngineSection& section) {
    if (section.name) return section.name->value;
    return section.type ? section.type->value : std::string(default_type);
}

void check_type(const EngineSection& section, std::span<const std::string_view> known_types) {
    if (!section.type) return;
    const auto& [type, where] = *section.type;
    if (std::find(known_types.begin(), known_types.end(), type) != known_types.end()) return;
    std::string names;
    for (const std::string_view known : known_types)
        names += (names.empty() ? "'" : ", '") + std::string(known) + "'";
    reject(where, in_quotes(type) + " is no known type of engine",
           (known_types.size() > 1 ? "one of " : "") + names);
}

// The engines of the files so far, in the order in which they were first named.
class Engines {
  public:
    void merge_file(std::vector<EngineSection> sections) {
        require_different_names(sections);
        for (EngineSection& section : sections)
            merge(std::move(section));
    }

    [[nodiscard]] const std::vector<EngineSection>& all() const noexcept { return engines_; }

  private:
    static void require_different_names(const std::vector<EngineSection>& sections) {
        std::map<std::string, unsigned> lines;
        for (const EngineSection& section : sections) {
            const std::string name = name_of(section);
            const auto [first, is_new] = lines.emplace(name, section.where.line);
            if (is_new) continue;
            reject(section.name ? section.name->where : section.where,
                   "engine " + in_quotes(name) + " is already in this file, on line " +
                       std::to_string(first->second),
                   "one [[engine]] for each name");
        }
    }

    void merge(EngineSection section) {
        const std::string name = name_of(section);
        const auto known = std::find_if(engines_.begin(), engines_.end(),
                                        [&](const EngineSection& engine) { return name_of(engine) == name; });
        if (known == engines_.end()) return add(std::move(section), name);
        if (section.type) known->type = std::move(section.type);
        if (section.endpoint) known->endpoint = std::move(section.endpoint);
        if (section.user) known->user = section.user;
        if (section.enabled) known->enabled = section.enabled;
        if (section.tls) known->tls = std::move(section.tls);
        if (section.namespaces) known->namespaces = std::move(section.namespaces);
    }

    // The name is kept even when it came from the type, which a later file may change.
    void add(EngineSection section, const std::string& name) {
        if (engines_.size() == most_engines) {
            reject(section.where, "this is engine number " + std::to_string(most_engines + 1),
                   "at most " + std::to_string(most_engines) + " engines");
        }
        if (!section.name) section.name = Located<std::string>{name, section.where};
        engines_.push_back(std::move(section));
    }

    std::vector<EngineSection> engines_;
};

Endpoint endpoint_of(const EngineSection& section, std::string_view type, bool user) {
    Endpoint endpoint;
    if (section.endpoint) {
        endpoint = Endpoint::parse(section.endpoint->value, section.tls.has_value());
    } else if (auto assumed = default_endpoint(type, user)) {
        endpoint = std::move(*assumed);
    } else {
        reject(section.where, "engine " + in_quotes(name_of(section)) + " has no endpoint",
               "endpoint, as in endpoint = \"unix:///run/engine.sock\"");
    }
    if (section.user) {
        if (!endpoint.is_local()) {
            reject(section.user->where, "user, but the endpoint is " + in_quotes(endpoint.url()),
                   "a unix socket, or no user");
        }
        endpoint.user = section.user->value;
    }
    if (!section.tls) return endpoint;

    const auto& [tls, where] = *section.tls;
    if (endpoint.transport != Endpoint::Transport::tls || section.endpoint->value.starts_with("http://")) {
        const std::string said = section.endpoint ? in_quotes(section.endpoint->value) + " (" +
                                                        section.endpoint->where.to_string() + ")"
                                                  : in_quotes(endpoint.url()) + " by default";
        reject(where, "tls, but the endpoint is " + said, "a tcp:// or https:// endpoint, or no tls");
    }
    endpoint.tls = {tls.ca.value_or(""), tls.certificate.value_or(""), tls.key.value_or("")};
    return endpoint;
}

// Namespaces are containerd's alone, and what speaks gRPC has no TCP.
void check_fit(const EngineSection& section, const EngineConfiguration& engine) {
    if (section.namespaces && engine.type != "containerd") {
        reject(section.namespaces->where, "namespaces, but the engine's type is " + in_quotes(engine.type),
               "type = \"containerd\", or no namespaces");
    }
    const bool has_socket_only = engine.type == "containerd" || engine.type == "cri";
    if (has_socket_only && engine.endpoint.transport != Endpoint::Transport::unix_socket) {
        reject(section.endpoint->where,
               "an engine of type " + in_quotes(engine.type) + " can't be watched at " +
                   in_quotes(engine.endpoint.url()),
               "its unix socket, as in endpoint = \"unix:///run/engine.sock\"");
    }
}

EngineConfiguration to_configuration(const EngineSection& section, bool user) {
    EngineConfiguration engine;
    engine.name = name_of(section);
    engine.type = section.type ? section.type->value : std::string(default_type);
    engine.endpoint = endpoint_of(section, engine.type, user);
    engine.enabled = section.enabled.value_or(true);
    if (section.namespaces) engine.namespaces = section.namespaces->value;
    check_fit(section, engine);
    return engine;
}

void merge_runtime(const config::RuntimeSection& section, RuntimeConfiguration& runtime) {
    if (section.enabled) runtime.enabled = *section.enabled;
    if (section.name_space) runtime.name_space = *section.name_space;
    if (section.snapshotter) runtime.snapshotter = *section.snapshotter;
    if (section.most_containers) runtime.most_containers = *section.most_containers;
}

void merge_tasks(const config::TasksSection& section, TasksConfiguration& tasks) {
    if (section.enabled) tasks.enabled = section.enabled;
    if (section.engine) tasks.engine = *section.engine;
    if (section.folder) tasks.folder = *section.folder;
    if (section.credentials) tasks.credentials = *section.credentials;
    if (section.cleanup_after) tasks.cleanup_after = *section.cleanup_after;
}

}  // namespace

std::filesystem::path default_configuration_file(bool user) {
    if (!user) return "/etc/shorewatch/shorewatch.toml";
    constexpr std::string_view within = "shorewatch/shorewatch.toml";
    if (const auto folder = path_from_environment("XDG_CONFIG_HOME")) return *folder / within;
    if (const auto home = path_from_environment("HOME")) return *home / ".config" / within;
    throw ConfigurationError(
        "a user's configuration can't be found: neither XDG_CONFIG_HOME nor HOME holds an absolute path; "
        "expected one of them, or --config FILE");
}

Configuration read_configuration(const std::filesystem::path& file, bool must_exist, bool user,
                                 std::span<const std::string_view> known_types) {
    Engines engines;
    std::optional<config::Discover> discover;
    std::optional<bool> discover_users;
    Configuration configuration;
    const auto merge = [&](const fs::path& path, const std::string& text) {
        config::FileSection section = config::parse_file(text, path.native());
        for (const EngineSection& engine : section.engines)
            check_type(engine, known_types);
        engines.merge_file(std::move(section.engines));
        if (section.discover) discover = section.discover;
        if (section.discover_users) discover_users = section.discover_users;
        merge_runtime(section.runtime, configuration.runtime);
        merge_tasks(section.tasks, configuration.tasks);
    };
    if (const auto text = config::read_text(file)) {
        merge(file, *text);
    } else if (must_exist) {
        throw ConfigurationError(printable(file.native()) +
                                 ": there is no such file; expected the configuration");
    }
    for (const fs::path& drop_in : config::drop_ins(file)) {
        // One that has gone since the folder was read is as good as never there.
        if (const auto text = config::read_text(drop_in)) merge(drop_in, *text);
    }

    // Beside the file, so that another configuration has other tasks.
    if (configuration.tasks.folder.empty())
        configuration.tasks.folder = fs::absolute(file).parent_path() / "tasks.d";
    for (const EngineSection& section : engines.all())
        configuration.engines.push_back(to_configuration(section, user));
    // Who names engines wants these, unless they only switch some off.
    const bool none_named =
        std::ranges::none_of(configuration.engines, [](const auto& engine) { return engine.enabled; });
    using config::Discover;
    configuration.discover =
        discover.value_or(none_named ? Discover::outside : Discover::nothing) != Discover::nothing;
    configuration.discover_nested = discover == Discover::deep;
    configuration.discover_users = configuration.discover && !user && discover_users.value_or(true);
    return configuration;
}

std::filesystem::path state_folder(bool user) {
    // Of several, systemd separates them by colons.
    if (const char* value = std::getenv("STATE_DIRECTORY"); value != nullptr && value[0] == '/') {
        const std::string_view folders = value;
        return folders.substr(0, folders.find(':'));
    }
    if (!user) return "/var/lib/shorewatch";
    if (const auto folder = path_from_environment("XDG_STATE_HOME")) return *folder / "shorewatch";
    if (const auto home = path_from_environment("HOME")) return *home / ".local/state/shorewatch";
    return runtime_folder() / "shorewatch";
}

std::filesystem::path runtime_folder() {
    return path_from_environment("XDG_RUNTIME_DIR").value_or("/run/user/" + std::to_string(::getuid()));
}

}  // namespace shorewatch
