#include "daemon/change.h"

namespace shorewatch {

const char* to_string(EngineState state) {
    switch (state) {
        case EngineState::unavailable:
            return "unavailable";
        case EngineState::connecting:
            return "connecting";
        case EngineState::synchronizing:
            return "synchronizing";
        case EngineState::watching:
            return "watching";
        case EngineState::lost:
            return "lost";
    }
    return "unavailable";
}

const char* to_string(Cause cause) {
    switch (cause) {
        case Cause::kernel:
            return "kernel";
        case Cause::event:
            return "event";
        case Cause::resync:
            return "resync";
    }
    return "event";
}

}  // namespace shorewatch
