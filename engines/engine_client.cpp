#include "engines/engine_client.h"

namespace shorewatch {

void EngineIdentity::take(const Peer& peer) {
    // 1 is systemd, which opened the socket for the engine and then started it.
    pid = peer.pid > 1 ? peer.pid : 0;
    uid = peer.uid;
}

}  // namespace shorewatch
