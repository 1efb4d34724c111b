#include "dbus/service/container_filter.h"

#include <vector>

#include "dbus/service/errors.h"
#include "engines/support/text.h"

namespace shorewatch::bus {

namespace {

// Of a filter that is not known, in an error.
constexpr std::size_t longest_key = 200;

[[noreturn]] void wrong_type(const std::string& key, const sdbus::Variant& value, const char* expected) {
    throw error(errors::invalid_args, "Filter '" + key + "' takes type " + expected + ", not " +
                                          std::string(value.peekValueType()));
}

template <typename Type>
Type take(const std::string& key, const sdbus::Variant& value, const char* expected) {
    if (!value.containsValueOfType<Type>()) wrong_type(key, value, expected);
    return value.get<Type>();
}

std::vector<std::string> take_labels(const std::string& key, const sdbus::Variant& value) {
    if (value.containsValueOfType<std::string>()) return {value.get<std::string>()};
    return take<std::vector<std::string>>(key, value, "s or as");
}

}  // namespace

ContainerFilter parse_filter(const std::map<std::string, sdbus::Variant>& wire) {
    ContainerFilter filter;
    for (const auto& [key, value] : wire) {
        if (key == "engine") {
            filter.engine = take<std::string>(key, value, "s");
        } else if (key == "project") {
            filter.project = take<std::string>(key, value, "s");
        } else if (key == "name") {
            filter.name = take<std::string>(key, value, "s");
        } else if (key == "pod") {
            filter.pod = take<std::string>(key, value, "s");
        } else if (key == "label") {
            filter.labels = take_labels(key, value);
        } else if (key == "paused") {
            filter.paused = take<bool>(key, value, "b");
        } else {
            throw error(errors::invalid_args,
                        "Unknown filter '" + printable(key.substr(0, longest_key)) +
                            "'; known are engine, project, name, label, paused and pod");
        }
    }
    return filter;
}

}  // namespace shorewatch::bus
