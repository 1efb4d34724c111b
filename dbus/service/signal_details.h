// The details that signals of the Manager carry: what is known of a change; what is not known is absent.
#pragma once

#include <map>
#include <string>

#include "daemon/change.h"
#include "dbus/compat/sdbus.h"

namespace shorewatch::bus {

using Details = std::map<std::string, sdbus::Variant>;

[[nodiscard]] Details details_of(const ContainerStarted& change);
[[nodiscard]] Details details_of(const ContainerExited& change);
[[nodiscard]] Details details_of(const ContainerPaused& change);
[[nodiscard]] Details details_of(const ContainerUnpaused& change);
[[nodiscard]] Details details_of(const ContainerRenamed& change);
// Of EngineStateChanged.
[[nodiscard]] Details details_of(const EngineStatus& before, const EngineStatus& now);

}  // namespace shorewatch::bus
