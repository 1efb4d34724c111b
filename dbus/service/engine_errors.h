// What engines answer, as errors on the bus.
#pragma once

#include "dbus/compat/sdbus.h"
#include "engines/result.h"

namespace shorewatch::bus {

// With the engine's words.
[[nodiscard]] sdbus::Error error_of(const EngineError& failure);

}  // namespace shorewatch::bus
