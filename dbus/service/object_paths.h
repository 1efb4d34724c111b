// Where things are on the bus.
#pragma once

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
[[nodiscard]] sdbus::ObjectPath container_path(const std::string& engine, const std::string& id);
[[nodiscard]] sdbus::ObjectPath task_path(const std::string& arn);
// Of the container that the engine runs in; "/": it runs in none.
[[nodiscard]] sdbus::ObjectPath holder_path(const PublishedEngine& engine);

}  // namespace shorewatch::bus
