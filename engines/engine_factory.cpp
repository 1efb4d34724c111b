#include "engines/engine_factory.h"

#include <algorithm>
#include <array>
#include <stdexcept>
#include <string>
#include <utility>

#include "engines/containerd/containerd_client.h"
#include "engines/cri/cri_client.h"
#include "engines/docker/docker_client.h"
#include "engines/podman/podman_client.h"
#include "engines/support/text.h"

namespace shorewatch {

namespace {

using Maker = std::unique_ptr<EngineClient>(const Endpoint&, EventLoop&, const EngineOptions&);

template <typename Client>
std::unique_ptr<EngineClient> make(const Endpoint& endpoint, EventLoop& loop, const EngineOptions&) {
    return std::make_unique<Client>(loop, endpoint);
}

std::unique_ptr<EngineClient> make_containerd(const Endpoint& endpoint, EventLoop& loop,
                                              const EngineOptions& options) {
    containerd::ContainerdOptions own;
    own.namespaces = options.namespaces;
    own.kubernetes = options.kubernetes;
    own.runtime = options.runtime;
    return std::make_unique<containerd::ContainerdClient>(loop, endpoint, std::move(own));
}

// The runtime interface says little of how containers are; containerd's own API, on the same socket, does.
std::unique_ptr<EngineClient> make_cri(const Endpoint& endpoint, EventLoop& loop, const EngineOptions&) {
    const auto make_kubernetes = [](EventLoop& its_loop, const Endpoint& its_endpoint) {
        return make_containerd(its_endpoint, its_loop, {.namespaces = {"k8s.io"}});
    };
    return std::make_unique<cri::CriClient>(loop, endpoint, make_kubernetes);
}

struct Kind {
    std::string_view type_id;
    Maker* make;
};

// A line each in both, in the same order.
constexpr std::array<std::string_view, 4> types{"containerd", "cri", "docker", "podman"};
constexpr std::array<Kind, types.size()> kinds{
    Kind{containerd::type_id, make_containerd}, Kind{cri::type_id, make_cri},
    Kind{docker::type_id, make<docker::DockerClient>}, Kind{podman::type_id, make<podman::PodmanClient>}};

const Kind& kind_of(std::string_view type) {
    const auto found = std::ranges::find(types, type);
    if (found == types.end()) {
        std::string known;
        for (const std::string_view name : types)
            known += (known.empty() ? "" : ", ") + std::string(name);
        throw std::invalid_argument("'" + printable(type) + "' is no engine type; known are: " + known);
    }
    return kinds.at(static_cast<std::size_t>(found - types.begin()));
}

}  // namespace

std::span<const std::string_view> known_engine_types() {
    return types;
}

std::string_view engine_type_id(std::string_view type) {
    return kind_of(type).type_id;
}

std::unique_ptr<EngineClient> make_engine_client(std::string_view type, const Endpoint& endpoint,
                                                 EventLoop& loop, const EngineOptions& options) {
    return kind_of(type).make(endpoint, loop, options);
}

}  // namespace shorewatch
