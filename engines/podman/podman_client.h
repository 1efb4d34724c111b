// Podman as an EngineClient: the libpod API of `podman system service`, over a unix socket, TCP or TLS.
// Podman 4 and later.
//
// An open stream keeps a service with a time limit, as systemd starts it at its socket, from ending: it is
// there as long as it is watched.
#pragma once

#include <chrono>

#include "engines/endpoint.h"
#include "engines/podman/podman_dialect.h"
#include "engines/rest/client.h"
#include "engines/rest/dialect.h"
#include "engines/support/event_loop.h"

namespace shorewatch::podman {

// Podman 5.1.0 to 5.2.5 send the head of the event stream with the first event.
[[nodiscard]] inline rest::Options default_options() {
    rest::Options options;
    options.late_head = std::chrono::seconds(1);
    return options;
}

class PodmanClient final : public rest::Client {
  public:
    PodmanClient(EventLoop& loop, Endpoint endpoint, const rest::Options& options = default_options());
};

}  // namespace shorewatch::podman
