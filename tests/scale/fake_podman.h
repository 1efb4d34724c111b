// A Podman service that is played: libpod's own API, as much of it as a watcher asks for, with many
// containers.
#pragma once

#include <cstdint>
#include <list>
#include <map>
#include <string>

#include "tests/fakes/drive.h"
#include "tests/fakes/http_server.h"
#include "tests/fakes/listener.h"

namespace shorewatch::scale {

class FakePodman {
  public:
    FakePodman();
    ~FakePodman();
    FakePodman(const FakePodman&) = delete;
    FakePodman& operator=(const FakePodman&) = delete;

    [[nodiscard]] Endpoint endpoint() const { return listener_.endpoint(); }

    // Any thread. With the events of `podman run` and of `podman rm --force`.
    void start(const std::string& id, const std::string& name, std::uint32_t pid);
    void remove(const std::string& id, int exit_code);

  private:
    struct Container {
        std::string name;
        std::uint32_t pid = 0;
        RealTime started;
    };

    // All below: the server's thread.
    void serve(const fakes::HttpConnectionPtr& connection, const fakes::HttpRequest& asked);
    void answer(const fakes::HttpConnectionPtr& connection, int status, const std::string& body);
    void tell(const std::string& action, const std::string& id, const std::string& name, int exit_code);
    [[nodiscard]] std::string list() const;

    fakes::Listener listener_{Endpoint::Transport::unix_socket};
    fakes::ChannelFactory channels_;
    std::map<std::string, Container> containers_;
    std::list<fakes::HttpConnectionPtr> streams_;
    fakes::LoopThread thread_;
    std::unique_ptr<fakes::HttpServer> server_;
};

}  // namespace shorewatch::scale
