#include "engines/support/peer.h"

#include <sys/socket.h>

namespace shorewatch {

Peer peer_of(int socket) noexcept {
    ucred peer{};
    socklen_t size = sizeof peer;
    // A socket that isn't connected has pid 0 and uid -1; so has a process of a pid namespace that isn't
    // below ours.
    if (getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0 || peer.pid < 0) return {};
    Peer found{static_cast<std::uint32_t>(peer.pid), {}};
    if (peer.uid != static_cast<uid_t>(-1)) found.uid = peer.uid;
    return found;
}

}  // namespace shorewatch
