// What is to be made, in the words of Podman's libpod API. Pure functions.
#pragma once

#include <string>

#include "engines/engine_deployment.h"

namespace shorewatch::podman {

// The body of POST /libpod/containers/create. The plan's links are hosts: Podman has no links.
[[nodiscard]] std::string create_body(const ContainerPlan& plan, const StringPairs& hosts);

}  // namespace shorewatch::podman
