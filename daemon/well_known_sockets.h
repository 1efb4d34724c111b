// Where engines listen unless told otherwise.
#pragma once

#include <array>
#include <string_view>

namespace shorewatch {

struct WellKnownSocket {
    std::string_view type;       // of engine, as the factory knows it
    std::string_view system;     // of root's engine, below /run
    std::string_view of_a_user;  // of a rootless engine, below $XDG_RUNTIME_DIR; empty: there is none
    std::string_view what;       // the latter, for people
};

// Sorted by type.
inline constexpr std::array<WellKnownSocket, 4> well_known_sockets{
    {{"containerd", "containerd/containerd.sock", "", ""},
     {"cri", "crio/crio.sock", "", ""},  // CRI-O's
     {"docker", "docker.sock", "docker.sock", "rootless Docker"},
     {"podman", "podman/podman.sock", "podman/podman.sock", "a user's Podman"}}};

}  // namespace shorewatch
