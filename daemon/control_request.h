// Something that is to be done to a container by its engine, on its way to the engine's thread, and the
// answer on its way back.
#pragma once

#include <chrono>
#include <functional>
#include <string>
#include <variant>

#include "engines/result.h"

namespace shorewatch {

// As EngineControl (engines/engine_control.h) has them: what is allowed, and what they come to.
struct ControlRequest {
    struct Pause {};
    struct Unpause {};
    struct Stop {
        std::chrono::seconds timeout{};
    };
    struct Kill {
        int signal = 0;
    };
    struct Inspect {};

    std::string container;  // its full id
    std::variant<Pause, Unpause, Stop, Kill, Inspect> action;
};

// An inspection comes to JSON text, everything else to an empty one.
using ControlReply = std::function<void(Result<std::string>)>;

}  // namespace shorewatch
