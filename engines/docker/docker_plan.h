// What is to be made, in the words of Docker's Engine API. Pure functions.
#pragma once

#include <string>
#include <utility>

#include "engines/engine_deployment.h"

namespace shorewatch::docker {

// An image's repository, and its digest or tag, "latest" where it has neither: without a tag, dockerd would
// pull them all.
[[nodiscard]] std::pair<std::string, std::string> split_image(const std::string& image);

// The body of POST /containers/create.
[[nodiscard]] std::string create_body(const ContainerPlan& plan);

}  // namespace shorewatch::docker
