#include "engines/podman/podman_client.h"

#include <memory>
#include <utility>

namespace shorewatch::podman {

PodmanClient::PodmanClient(EventLoop& loop, Endpoint endpoint, const rest::Options& options)
    : Client(loop, std::move(endpoint), std::make_unique<PodmanDialect>(), options) {}

}  // namespace shorewatch::podman
