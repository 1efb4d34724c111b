// The file of an endpoint's unix socket, under a name by which connect(2) finds it; and what the pids mean
// that are told there.
#pragma once

#include <cstdint>
#include <string>

#include "engines/endpoint.h"
#include "engines/support/peer.h"
#include "engines/support/pid_namespace.h"
#include "engines/support/unique_fd.h"

namespace shorewatch {

class SocketFile {
  public:
    // Of one in a container, it is the file that is there now: one that is made in its place later is
    // another.
    explicit SocketFile(const Endpoint& endpoint);

    // Good as long as this lives. Where there is nothing, nothing is there under this name either.
    [[nodiscard]] const std::string& name() const noexcept { return name_; }
    [[nodiscard]] bool exists() const;

  private:
    UniqueFd fd_;
    std::string name_;
};

// Why whoever listens at a unix socket is not to be believed, and what to do if he is: who may make sockets
// where one is looked for could play an engine. Empty: he is root, we, or who the endpoint says. So is who
// listens in a container: what he says is believed about that container's own processes only.
[[nodiscard]] std::string distrust_of(const Endpoint& endpoint, const Peer& peer);

// As which the engine tells pids. peer_pid: of the process at the other end, by SO_PEERCRED; an engine in a
// container is not believed to be elsewhere: that pid may be another process's by now.
[[nodiscard]] PidNamespace pids_told_at(const Endpoint& endpoint, std::uint32_t peer_pid);

}  // namespace shorewatch
