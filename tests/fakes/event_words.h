// The types of events in words, for what a test tells of itself.
#pragma once

#include "engines/engine_client.h"

namespace shorewatch::fakes {

inline const char* word(ContainerEvent::Type type) {
    switch (type) {
        case ContainerEvent::Type::started:
            return "started";
        case ContainerEvent::Type::exited:
            return "exited";
        case ContainerEvent::Type::paused:
            return "paused";
        case ContainerEvent::Type::unpaused:
            return "unpaused";
        case ContainerEvent::Type::renamed:
            return "renamed";
        case ContainerEvent::Type::oom:
            return "oom";
        case ContainerEvent::Type::removed:
            return "removed";
    }
    return "?";
}

}  // namespace shorewatch::fakes
