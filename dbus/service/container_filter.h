// The filter of ListContainers, from the wire.
#pragma once

#include <map>
#include <string>

#include "daemon/registry.h"
#include "dbus/compat/sdbus.h"

namespace shorewatch::bus {

// Throws InvalidArgs, naming the filter, when one is not known or has the wrong type.
[[nodiscard]] ContainerFilter parse_filter(const std::map<std::string, sdbus::Variant>& wire);

}  // namespace shorewatch::bus
