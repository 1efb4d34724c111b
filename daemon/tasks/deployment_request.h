// Something to be done by the part of an engine's client that deploys, and what comes of it: how the main
// thread asks a watcher's.
#pragma once

#include <functional>
#include <string>
#include <variant>
#include <vector>

#include "engines/engine_control.h"
#include "engines/engine_deployment.h"
#include "engines/result.h"

namespace shorewatch {

// Nothing: it is done.
using DeploymentAnswer = std::variant<std::monostate, std::string, DeployedContainer,
                                      std::vector<DeployedContainer>, std::vector<DeployedImage>>;
using DeploymentReply = std::function<void(Result<DeploymentAnswer>)>;

struct DeploymentTools {
    EngineDeployment& deployment;
    EngineControl& control;
};

struct DeploymentRequest {
    std::string purpose;  // as make_error() takes it
    // Called on the watcher's thread, and has to have the reply called once or, when the stream ends, never.
    std::function<void(const DeploymentTools&, DeploymentReply)> ask;
};

}  // namespace shorewatch
