#include "engines/socket_file.h"

#include <sys/stat.h>
#include <unistd.h>

namespace shorewatch {

SocketFile::SocketFile(const Endpoint& endpoint) : name_(endpoint.socket_path) {
    if (!endpoint.inside) return;
    fd_ = open_in_root(*endpoint.inside, endpoint.socket_path, 0);
    name_ = name_of(fd_);
}

bool SocketFile::exists() const {
    struct stat status{};
    return stat(name_.c_str(), &status) == 0;
}

std::string distrust_of(const Endpoint& endpoint, const Peer& peer) {
    if (!endpoint.is_local() || endpoint.inside || !peer.uid) return {};
    if (*peer.uid == 0 || *peer.uid == ::geteuid() || peer.uid == endpoint.user) return {};
    const std::string user = std::to_string(*peer.uid);
    return "user " + user + " listens there, who is not trusted; if the engine is that user's, user = \"" +
           user + "\" has to be in its [[engine]] table";
}

PidNamespace pids_told_at(const Endpoint& endpoint, std::uint32_t peer_pid) {
    return endpoint.inside ? PidNamespace::of(*endpoint.inside) : PidNamespace::of(peer_pid);
}

}  // namespace shorewatch
