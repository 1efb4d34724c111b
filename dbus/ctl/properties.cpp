#include "dbus/ctl/properties.h"

#include <cstdlib>
#include <memory>
#include <tuple>

#include <systemd/sd-bus.h>

namespace shorewatch::ctl {

ContainerInfo container_info(std::string path, Properties properties) {
    ContainerInfo info;
    info.path = std::move(path);
    info.id = value_or_empty<std::string>(properties, "Id");
    info.name = value_or_empty<std::string>(properties, "Name");
    info.engine = engine_name(value_or_empty<sdbus::ObjectPath>(properties, "Engine"));
    info.project = value_or_empty<std::string>(properties, "Project");
    info.image = value_or_empty<std::string>(properties, "Image");
    info.pid = value_or_empty<std::uint32_t>(properties, "PID");
    info.started_at = value_or_empty<std::uint64_t>(properties, "StartedAt");
    info.paused = value_or_empty<bool>(properties, "Paused");
    info.properties = std::move(properties);
    return info;
}

EngineInfo engine_info(std::string path, Properties properties) {
    EngineInfo info;
    info.path = std::move(path);
    info.name = value_or_empty<std::string>(properties, "Name");
    info.type = value_or_empty<std::string>(properties, "Type");
    info.state = value_or_empty<std::string>(properties, "State");
    info.version = value_or_empty<std::string>(properties, "Version");
    info.api = value_or_empty<std::string>(properties, "Api");
    info.last_error = value_or_empty<std::string>(properties, "LastError");
    info.container_total = value_or_empty<std::uint32_t>(properties, "ContainerTotal");
    info.since = value_or_empty<std::uint64_t>(properties, "Since");
    info.properties = std::move(properties);
    return info;
}

std::string engine_name(const std::string& path) {
    char* name = nullptr;
    if (sd_bus_path_decode(path.c_str(), "/org/shorewatch1/engines", &name) <= 0) return path;
    const std::unique_ptr<char, decltype(&std::free)> owner(name, &std::free);
    return name;
}

bool shown_before(const ContainerInfo& one, const ContainerInfo& other) {
    return std::tie(one.engine, one.project, one.name, one.id) <
           std::tie(other.engine, other.project, other.name, other.id);
}

}  // namespace shorewatch::ctl
