// Where a fake engine listens: a unix socket in a temporary folder of its own, or a port of 127.0.0.1.
#pragma once

#include <filesystem>
#include <optional>

#include "engines/endpoint.h"
#include "engines/support/unique_fd.h"
#include "tests/fakes/temporary_folder.h"

namespace shorewatch::fakes {

class Listener {
  public:
    // Finds a folder or a free port; open() listens there, again and again at the same place.
    explicit Listener(Endpoint::Transport transport);

    [[nodiscard]] const Endpoint& endpoint() const noexcept { return endpoint_; }
    [[nodiscard]] std::filesystem::path socket() const { return endpoint_.socket_path; }

    // Removes what is in the socket's place, and listens. Throws std::system_error.
    [[nodiscard]] UniqueFd open();
    void remove_socket();
    void put_folder_in_place();

  private:
    [[nodiscard]] UniqueFd open_unix();
    [[nodiscard]] UniqueFd open_tcp();

    std::optional<TemporaryFolder> folder_;  // of a unix socket
    Endpoint endpoint_;
};

}  // namespace shorewatch::fakes
