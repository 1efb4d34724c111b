// Docker as an EngineClient: dockerd's HTTP API, over a unix socket, TCP or TLS.
#pragma once

#include "engines/endpoint.h"
#include "engines/rest/client.h"
#include "engines/rest/dialect.h"
#include "engines/support/event_loop.h"

namespace shorewatch::docker {

using DockerOptions = rest::Options;

inline constexpr std::string_view type_id = "docker.com";

class DockerClient final : public rest::Client {
  public:
    DockerClient(EventLoop& loop, Endpoint endpoint, const DockerOptions& options = {});
};

}  // namespace shorewatch::docker
