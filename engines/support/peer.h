// Who listens on a unix socket that we are connected to.
#pragma once

#include <cstdint>
#include <optional>

namespace shorewatch {

// Of the process that opened the socket to listen, as it was then (unix(7), SO_PEERCRED). That may be
// systemd, which starts what it listens for later, and the process may be no more.
struct Peer {
    std::uint32_t pid = 0;             // 0: not known
    std::optional<std::uint32_t> uid;  // effective; none: not known
};

// Nothing is known of what is not a connected unix socket.
[[nodiscard]] Peer peer_of(int socket) noexcept;

}  // namespace shorewatch
