#include "dbus/service/object_paths.h"

#include <cstdlib>
#include <memory>
#include <system_error>

#include <systemd/sd-bus.h>

namespace shorewatch::bus {

namespace {

std::string child_of(const std::string& parent, const std::string& name) {
    char* path = nullptr;
    const int result = sd_bus_path_encode(parent.c_str(), name.c_str(), &path);
    if (result < 0) throw std::system_error(-result, std::generic_category(), "make an object path");
    const std::unique_ptr<char, decltype(&std::free)> owner(path, &std::free);
    return path;
}

}  // namespace

sdbus::ObjectPath engine_path(const std::string& engine) {
    return sdbus::ObjectPath(child_of(std::string(root_path) + "/engines", engine));
}

sdbus::ObjectPath project_path(const std::string& engine, const std::string& project) {
    return sdbus::ObjectPath(child_of(engine_path(engine) + "/projects", project));
}

std::string containers_path(const std::string& engine) {
    return engine_path(engine) + "/containers";
}

sdbus::ObjectPath container_path(const std::string& engine, const std::string& id) {
    return sdbus::ObjectPath(child_of(containers_path(engine), id));
}

sdbus::ObjectPath task_path(const std::string& arn) {
    return sdbus::ObjectPath(child_of(tasks_path, arn));
}

std::optional<std::string> child_name(const std::string& parent, const char* path) {
    char* name = nullptr;
    const int result = sd_bus_path_decode(path, parent.c_str(), &name);
    if (result < 0) throw std::system_error(-result, std::generic_category(), "read an object path");
    if (result == 0) return std::nullopt;
    const std::unique_ptr<char, decltype(&std::free)> owner(name, &std::free);
    // There are more ways to write a name than the one of paths that are made here.
    if (child_of(parent, name) != path) return std::nullopt;
    return name;
}

sdbus::ObjectPath holder_path(const PublishedEngine& engine) {
    const auto& holder = engine.holder();
    return holder ? container_path(holder->engine, holder->id) : sdbus::ObjectPath("/");
}

}  // namespace shorewatch::bus
