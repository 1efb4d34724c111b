// A method call while it is being handled, whoever handles it: an object of sdbus-c++ or a function that
// libsystemd calls.
#pragma once

#include "dbus/compat/sdbus.h"

namespace shorewatch::bus {

struct HandledCall {
    sd_bus_message* message;
    // Of the same connection: it makes what is written into for the answer.
    sdbus::IObject& object;
};

// What object handles now. Throws sdbus::Error when that is nothing.
[[nodiscard]] inline HandledCall handled_by(sdbus::IObject& object) {
    return with_current_message(
        object, [&](sd_bus_message* message) { return HandledCall{.message = message, .object = object}; });
}

}  // namespace shorewatch::bus
