// The daemon, as the commands ask it: blocking calls on one connection, typed answers, errors as
// CommandError.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <tuple>
#include <vector>

#include "dbus/compat/sdbus.h"
#include "dbus/ctl/exit_code.h"
#include "dbus/ctl/properties.h"
#include "engines/support/unique_fd.h"

namespace shorewatch::ctl {

inline constexpr const char* service_name = "org.shorewatch1";
inline constexpr const char* manager_path = "/org/shorewatch1";

struct BusChoice {
    BusKind kind = BusKind::system;
    std::string host;  // remote only: [USER@]HOST
    // polkit may have the user authenticate, for the calls that change something or look into containers.
    bool interactive = false;
};

// Connects. A remote bus is reached by ssh and systemd-stdio-bridge. Throws CommandError.
[[nodiscard]] std::unique_ptr<sdbus::IConnection> open_bus(const BusChoice& bus);

// What ListContainers can be asked for; all that is set must match.
struct ContainerFilter {
    std::optional<std::string> engine;
    std::optional<std::string> project;  // "" for containers that belong to none
    std::optional<std::string> name;
    std::vector<std::string> labels;  // each "key" or "key=value"
    std::optional<bool> paused;
    std::optional<std::string> pod;  // name or id

    [[nodiscard]] Properties to_properties() const;
};

struct ContainerList {
    std::uint64_t sequence = 0;  // of the last signal that the list includes
    std::vector<ContainerInfo> containers;
};
[[nodiscard]] ContainerList container_list(std::uint64_t sequence, std::vector<ListedObject> objects);

// An address of a container, on one of its interfaces.
struct Address {
    std::string interface;
    std::string address;  // with its prefix: "10.0.2.100/24"
};

class BusClient {
  public:
    explicit BusClient(BusChoice bus);

    // For calls of other kinds, by the same thread.
    [[nodiscard]] sdbus::IConnection& connection() const { return *connection_; }
    [[nodiscard]] const BusChoice& bus() const noexcept { return bus_; }

    [[nodiscard]] ContainerList list_containers(const ContainerFilter& filter) const;
    // Sorted by name.
    [[nodiscard]] std::vector<EngineInfo> list_engines() const;
    // By id, the beginning of an id, or name.
    [[nodiscard]] ContainerInfo container(const std::string& name_or_id) const;
    // The container that a process is in, whichever process of it that is; nothing when it is in none. On
    // this host the process is the one with this pid here, as seen from us; on another one, from there.
    [[nodiscard]] std::optional<ContainerInfo> container_of_process(std::uint32_t pid) const;

    // What can be done with one container, by id, the beginning of an id, or name.
    // The engine's own words, in JSON.
    [[nodiscard]] std::string inspect(const std::string& name_or_id) const;
    [[nodiscard]] std::vector<Address> addresses(const std::string& name_or_id) const;
    // Its initial process, and the namespaces that this one is in, by the names of types that are given, as
    // "net".
    [[nodiscard]] UniqueFd open_process(const std::string& name_or_id) const;
    [[nodiscard]] std::map<std::string, UniqueFd> open_namespaces(
        const std::string& name_or_id, const std::vector<std::string>& types) const;
    void pause(const std::string& name_or_id) const;
    void unpause(const std::string& name_or_id) const;
    // Returns when it is over. patience: how long it may take its time before it is killed.
    void stop(const std::string& name_or_id, std::chrono::seconds patience) const;
    void kill(const std::string& name_or_id, int signal) const;

    void reload() const;
    void resync(const std::string& engine) const;

  private:
    struct ContainerCall;
    template <typename... Results, typename... Arguments>
    std::tuple<Results...> call(const ContainerCall& what, const Arguments&... arguments) const;

    BusChoice bus_;
    std::unique_ptr<sdbus::IConnection> connection_;
};

}  // namespace shorewatch::ctl
