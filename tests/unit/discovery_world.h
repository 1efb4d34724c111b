// What tests of finding engines have in common: folders with sockets, and one who is told.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include <sys/socket.h>
#include <sys/un.h>

#include "daemon/discovery.h"
#include "engines/support/unique_fd.h"
#include "tests/fakes/temporary_folder.h"
#include "tests/unit/catch.h"

namespace shorewatch {

namespace fs = std::filesystem;

// A folder that plays /run, or the root folder of a container.
class Run {
  public:
    // A socket that nobody answers: discovery only looks.
    void listen(const std::string& name) const {
        const fs::path path = folder / name;
        fs::create_directories(path.parent_path());
        const UniqueFd socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
        sockaddr_un address{.sun_family = AF_UNIX, .sun_path = {}};
        REQUIRE(path.native().size() < sizeof address.sun_path);
        path.native().copy(address.sun_path, path.native().size());
        REQUIRE(::bind(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
    }

  private:
    fakes::TemporaryFolder temporary_;

  public:
    const fs::path& folder = temporary_.path();
};

// Keeps what it is told: "+docker", "-podman-1000".
struct Told final : DiscoveryObserver {
    void engine_found(const DiscoveredEngine& engine) override {
        words.push_back("+" + engine.name);
        sockets.push_back(engine.socket);
    }
    void engine_gone(const std::string& name) override { words.push_back("-" + name); }

    std::vector<std::string> words;
    std::vector<fs::path> sockets;
};

}  // namespace shorewatch
