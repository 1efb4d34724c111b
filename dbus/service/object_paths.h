// Where things are on the bus.
#pragma once

#include <optional>
#include <string>

#include "daemon/registry.h"
#include "dbus/compat/sdbus.h"

namespace shorewatch::bus {

inline constexpr const char* service_name = "org.shorewatch1";
inline constexpr const char* root_path = "/org/shorewatch1";
inline constexpr const char* tasks_path = "/org/shorewatch1/tasks";

// Names and ids become path elements as sd_bus_path_encode(3) escapes them; the zero project, "", is "_".
[[nodiscard]] sdbus::ObjectPath engine_path(const std::string& engine);
[[nodiscard]] sdbus::ObjectPath project_path(const std::string& engine, const std::string& project);
[[nodiscard]] std::string containers_path(const std::string& engine);
[[nodiscard]] sdbus::ObjectPath container_path(const std::string& engine, const std::string& id);
[[nodiscard]] sdbus::ObjectPath task_path(const std::string& arn);
// Whose path, made as those are, that is; absent: nobody's.
[[nodiscard]] std::optional<std::string> child_name(const std::string& parent, const char* path);
// Of the container that the engine runs in; "/": it runs in none.
[[nodiscard]] sdbus::ObjectPath holder_path(const PublishedEngine& engine);

}  // namespace shorewatch::bus
