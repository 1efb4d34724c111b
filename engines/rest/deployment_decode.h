// What Docker and Podman answer to whoever deploys: in this the two are alike but for words. Pure functions,
// which throw json::Malformed for text that is not what was asked for.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engines/engine_deployment.h"

namespace shorewatch::rest {

// The value of X-Registry-Auth.
[[nodiscard]] std::string registry_auth(const RegistryCredentials& credentials);

// What one object of a pull's progress says went wrong; empty: nothing.
[[nodiscard]] std::string pull_complaint(std::string json);

// The answer to a creation: the id.
[[nodiscard]] std::string decode_created(std::string json);

// GET /containers/ID/json
[[nodiscard]] DeployedContainer decode_deployed(std::string json);
// The address of that container in its network; empty: it has none of its own.
[[nodiscard]] std::string decode_address(std::string json);

// GET /containers/json; entries without a usable id are left out.
[[nodiscard]] std::vector<DeployedContainer> decode_deployed_list(std::string json);

// GET /images/json; entries without a usable id are left out, and so are names cut at longest_name, for they
// would be others. Throws when there are more than EngineDeployment has limits for.
[[nodiscard]] std::vector<DeployedImage> decode_images(std::string json);

// What the answer to a removal says went wrong with it in spite of its status (Podman); empty: nothing.
[[nodiscard]] std::string removal_complaint(std::string json);

}  // namespace shorewatch::rest
