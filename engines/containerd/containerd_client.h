// containerd as an EngineClient: its gRPC API on a unix socket, all of its namespaces at once.
#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "engines/containerd/known_runs.h"
#include "engines/containerd/namespaces.h"
#include "engines/endpoint.h"
#include "engines/engine_client.h"
#include "engines/grpc/library.h"
#include "engines/session_holder.h"
#include "engines/support/event_loop.h"

namespace shorewatch::containerd {

// How long to wait and how much to take. The defaults are for real engines.
struct ContainerdOptions {
    std::vector<std::string> namespaces;  // as Namespaces takes them
    bool kubernetes = false;              // the same
    bool runtime = false;                 // containers are made and run with it: runtime() is there
    // Until the event stream stands, and of one attempt to see whether it does.
    std::chrono::milliseconds stream_deadline = std::chrono::seconds(20);
    std::chrono::milliseconds publish_deadline = std::chrono::seconds(10);
    std::chrono::milliseconds publish_retry = std::chrono::milliseconds(50);
    std::chrono::milliseconds identity_deadline = std::chrono::seconds(10);
    // containerd asks one shim after the other, and waits 2 s for each that hangs.
    std::chrono::milliseconds list_deadline = std::chrono::seconds(60);
    std::chrono::milliseconds inspect_deadline = std::chrono::seconds(10);
    // Of each call that does something to a container. A pause is said to take long where there is much to
    // freeze.
    std::chrono::milliseconds control_deadline = std::chrono::seconds(30);
    // Of what depends on how large something is: a layer to unpack, memory to write.
    std::chrono::milliseconds unpack_deadline = std::chrono::minutes(10);
    // For the end of a container, beyond the time that it is given to stop.
    std::chrono::milliseconds stop_margin = std::chrono::seconds(30);
    // Ten times what has been seen on one host.
    std::size_t most_containers = 100'000;
    std::size_t most_namespaces = 1'000;
};

inline constexpr std::string_view type_id = "containerd.io";

class ContainerdClient final : public EngineClient {
  public:
    ContainerdClient(EventLoop& loop, Endpoint endpoint, ContainerdOptions options = {});
    ContainerdClient(const ContainerdClient&) = delete;
    ContainerdClient& operator=(const ContainerdClient&) = delete;
    ~ContainerdClient() override;

    [[nodiscard]] std::string_view type() const override { return type_id; }
    [[nodiscard]] std::string api() const override { return endpoint_.url(); }

    // containerd can't replay: since is of no use. Throws std::logic_error when a stream is open already.
    void lifecycle_events(std::optional<RealTime> since, LifecycleObserver& observer) override;
    // Without an open stream, these two are answered by an error.
    void list(ListReply reply) override;
    // id: "NAMESPACE/ID"
    void inspect(const std::string& id, InspectReply reply) override;
    // The same ids. What is stopped or killed keeps its task, which is its owner's to delete.
    [[nodiscard]] EngineControl& control() override;
    // Null unless the options have it.
    [[nodiscard]] EngineRuntime* runtime() override;
    void close() override;

  private:
    class Control;
    class Creation;
    class ImageReading;
    class Runtime;
    class Session;
    class Listing;
    class Looking;
    class Stopping;

    grpc::Library library_;
    EventLoop& loop_;
    Endpoint endpoint_;
    ContainerdOptions options_;
    Namespaces namespaces_;
    KnownRuns runs_;  // over all streams of this client
    SessionHolder<Session> session_;
    std::unique_ptr<Control> control_;
    std::unique_ptr<Runtime> runtime_;  // null: none
};

}  // namespace shorewatch::containerd
