#include "dbus/service/given_options.h"

#include "dbus/service/errors.h"
#include "engines/support/text.h"

namespace shorewatch::bus {

template <typename Value>
std::optional<Value> GivenOptions::take(const std::string& name, const char* type) {
    const auto found = options_.extract(name);
    if (found.empty()) return std::nullopt;
    if (found.mapped().containsValueOfType<Value>()) return found.mapped().get<Value>();
    throw error(errors::invalid_args, "Option " + name + " has to be of type '" + type + "'");
}

std::optional<bool> GivenOptions::flag(const std::string& name) {
    return take<bool>(name, "b");
}

std::optional<std::string> GivenOptions::text(const std::string& name) {
    return take<std::string>(name, "s");
}

std::optional<std::map<std::string, std::string>> GivenOptions::texts(const std::string& name) {
    return take<std::map<std::string, std::string>>(name, "a{ss}");
}

void GivenOptions::finish() const {
    if (options_.empty()) return;
    throw error(errors::invalid_args,
                "There is no option '" + printable(options_.begin()->first.substr(0, 200)) + "' here");
}

}  // namespace shorewatch::bus
