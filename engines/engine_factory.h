// The one place that knows which kinds of engines there are.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engines/endpoint.h"
#include "engines/engine_client.h"
#include "engines/support/event_loop.h"

namespace shorewatch {

// As they are written in the configuration, sorted.
[[nodiscard]] std::span<const std::string_view> known_engine_types();

// What an engine of this type calls itself on the bus: "docker.com" for "docker". Throws as
// make_engine_client().
[[nodiscard]] std::string_view engine_type_id(std::string_view type);

// What can be said of an engine beyond its type and where it listens. Those of other types are ignored.
struct EngineOptions {
    // "containerd": only these namespaces are watched; empty: all but moby and k8s.io.
    std::vector<std::string> namespaces;
    // "containerd": k8s.io as well, for it is not watched by way of the runtime interface.
    bool kubernetes = false;
    // "containerd": the client is to have its EngineRuntime.
    bool runtime = false;

    bool operator==(const EngineOptions&) const = default;
};

// A client of this type, not yet connected. loop must outlive it. Throws std::invalid_argument, whose text
// names the known types, for any other.
[[nodiscard]] std::unique_ptr<EngineClient> make_engine_client(std::string_view type,
                                                               const Endpoint& endpoint, EventLoop& loop,
                                                               const EngineOptions& options = {});

}  // namespace shorewatch
