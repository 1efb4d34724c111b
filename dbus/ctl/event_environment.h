// An event as the variables of a program that is run for it.
#pragma once

#include <string>
#include <vector>

#include "dbus/ctl/watch_event.h"

namespace shorewatch::ctl {

// Those of inherited, NAME=VALUE each, whose names don't begin with SHOREWATCH_, and then the event's, which
// do. What is not known of the event has no variable.
[[nodiscard]] std::vector<std::string> event_environment(const WatchEvent& event,
                                                         const std::vector<std::string>& inherited);

}  // namespace shorewatch::ctl
