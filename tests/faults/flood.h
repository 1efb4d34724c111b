// An engine that sends garbage without end in place of one of its answers.
#pragma once

#include <atomic>
#include <cstddef>
#include <list>
#include <string>
#include <string_view>
#include <thread>

#include "engines/endpoint.h"
#include "engines/support/unique_fd.h"
#include "tests/fakes/listener.h"

namespace shorewatch::fakes {

// Of Docker's API, version 1.41. What is not flooded is answered by "[]".
class Flood {
  public:
    struct Plan {
        std::string instead_of;  // a part of the target: "/events"
        std::string beginning;   // of the answer: its head, as a rule
        std::string garbage;     // comes after that, again and again
        std::size_t most = 0;    // bytes of garbage; then the connection is closed
    };

    explicit Flood(Plan plan);
    ~Flood();
    Flood(const Flood&) = delete;
    Flood& operator=(const Flood&) = delete;

    [[nodiscard]] const Endpoint& endpoint() const noexcept { return listener_.endpoint(); }
    // How much of the garbage was taken so far. Any thread.
    [[nodiscard]] std::size_t sent() const noexcept { return sent_; }

  private:
    // A connection for each request.
    struct Connection {
        UniqueFd fd;
        std::string request = {};
    };

    void serve() noexcept;
    void take(Connection& connection);
    void pour();

    const Plan plan_;
    Listener listener_{Endpoint::Transport::unix_socket};
    UniqueFd listening_ = listener_.open();
    std::atomic<bool> ending_ = false;
    std::atomic<std::size_t> sent_ = 0;
    std::list<Connection> connections_;  // these two of the thread
    UniqueFd flooded_;
    std::thread thread_;
};

}  // namespace shorewatch::fakes
