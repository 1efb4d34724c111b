// Docker as an EngineClient: dockerd's HTTP API, over a unix socket, TCP or TLS.
#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <string>

#include "engines/docker/recent_events.h"
#include "engines/endpoint.h"
#include "engines/engine_client.h"
#include "engines/support/event_loop.h"

namespace shorewatch::docker {

// How long to wait and how much to take. The defaults are for real engines.
struct DockerOptions {
    std::chrono::milliseconds connect_deadline = std::chrono::seconds(10);  // of the event stream
    std::chrono::milliseconds head_deadline = std::chrono::seconds(20);     // until the event stream stands
    // A dockerd that starts accepts connections before it answers.
    std::chrono::milliseconds ping_deadline = std::chrono::seconds(10);
    std::chrono::milliseconds info_deadline = std::chrono::seconds(10);
    std::chrono::milliseconds list_deadline = std::chrono::seconds(30);
    std::chrono::milliseconds inspect_deadline =
        std::chrono::seconds(10);  // from its sending, not while in line
    std::size_t parallel = 8;      // requests at a time; at least 1
    // In bytes.
    std::size_t list_limit = std::size_t{64} * 1024 * 1024;
    std::size_t inspect_limit = std::size_t{24} * 1024 * 1024;
    std::size_t event_limit = std::size_t{4} * 1024 * 1024;
};

inline constexpr std::string_view type_id = "docker.com";

class DockerClient final : public EngineClient {
  public:
    DockerClient(EventLoop& loop, Endpoint endpoint, const DockerOptions& options = {});
    ~DockerClient() override;

    [[nodiscard]] std::string_view type() const override { return type_id; }
    [[nodiscard]] std::string api() const override { return endpoint_.url(); }

    // Throws std::logic_error when a stream is open already.
    void lifecycle_events(std::optional<RealTime> since, LifecycleObserver& observer) override;
    // Without an open stream, these two are answered by an error.
    void list(ListReply reply) override;
    void inspect(const std::string& id, InspectReply reply) override;
    void close() override;

  private:
    class Session;

    [[nodiscard]] bool is_open() const noexcept;
    void refuse(std::string_view purpose, std::function<void(EngineError)> reply);

    EventLoop& loop_;
    Endpoint endpoint_;
    DockerOptions options_;
    RecentEvents recent_;               // over all streams of this client
    std::shared_ptr<Session> session_;  // from lifecycle_events() to the end of the stream
    std::shared_ptr<bool> refusals_;    // replies posted by refuse() are given up with it
};

}  // namespace shorewatch::docker
