// The daemon, as the commands ask it: blocking calls on one connection, typed answers, errors as
// CommandError.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "dbus/compat/sdbus.h"
#include "dbus/ctl/exit_code.h"
#include "dbus/ctl/properties.h"

namespace shorewatch::ctl {

inline constexpr const char* service_name = "org.shorewatch1";
inline constexpr const char* manager_path = "/org/shorewatch1";

struct BusChoice {
    BusKind kind = BusKind::system;
    std::string host;  // remote only: [USER@]HOST
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

class BusClient {
  public:
    explicit BusClient(BusChoice bus);

    [[nodiscard]] ContainerList list_containers(const ContainerFilter& filter) const;
    // Sorted by name.
    [[nodiscard]] std::vector<EngineInfo> list_engines() const;
    // By id, the beginning of an id, or name.
    [[nodiscard]] ContainerInfo container(const std::string& name_or_id) const;
    void reload() const;
    void resync(const std::string& engine) const;

  private:
    BusChoice bus_;
    std::unique_ptr<sdbus::IConnection> connection_;
};

}  // namespace shorewatch::ctl
