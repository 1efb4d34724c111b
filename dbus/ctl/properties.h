// What the daemon sends, as values: dictionaries of properties, and the containers and engines in them.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <sdbus-c++/sdbus-c++.h>

namespace shorewatch::ctl {

// a{sv}: properties of an object, or details of a signal. Later versions of the daemon may send more, and
// earlier ones less: whoever reads it takes what is there.
using Properties = std::map<std::string, sdbus::Variant>;

// The value of a key; nothing when it is absent or of another type.
template <typename T>
[[nodiscard]] std::optional<T> find(const Properties& properties, const std::string& key) {
    const auto entry = properties.find(key);
    if (entry == properties.end() || !entry->second.containsValueOfType<T>()) return std::nullopt;
    return entry->second.get<T>();
}

// The same, with an empty one in place of nothing.
template <typename T>
[[nodiscard]] T value_or_empty(const Properties& properties, const std::string& key) {
    return find<T>(properties, key).value_or(T{});
}

// One element of the arrays that ListContainers and ListEngines return.
using ListedObject = sdbus::Struct<sdbus::ObjectPath, Properties>;

struct ContainerInfo {
    std::string path;
    std::string id;
    std::string name;
    std::string engine;   // its name, read from the path of its object
    std::string project;  // empty: none
    std::string image;
    std::uint32_t pid = 0;
    std::uint64_t started_at = 0;  // µs since 1970; 0: not known
    bool paused = false;
    Properties properties;  // all of them, these included
};

struct EngineInfo {
    std::string path;
    std::string name;
    std::string type;
    std::string state;
    std::string version;
    std::string api;
    std::string last_error;
    std::uint32_t container_total = 0;
    std::uint64_t since = 0;  // µs since 1970; 0: not known
    Properties properties;    // all of them, these included
};

[[nodiscard]] ContainerInfo container_info(std::string path, Properties properties);
[[nodiscard]] EngineInfo engine_info(std::string path, Properties properties);

// "docker" of "/org/shorewatch1/engines/docker"; the path itself when it is no such path.
[[nodiscard]] std::string engine_name(const std::string& path);

// By engine, project, name and id: the order in which everything is shown.
[[nodiscard]] bool shown_before(const ContainerInfo& one, const ContainerInfo& other);

}  // namespace shorewatch::ctl
