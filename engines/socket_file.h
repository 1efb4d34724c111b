// The file of an endpoint's unix socket, under a name by which connect(2) finds it.
#pragma once

#include <string>

#include "engines/endpoint.h"
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

}  // namespace shorewatch
