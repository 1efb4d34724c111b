// What Kubernetes runs, as an EngineClient: the container runtime interface (CRI, runtime.v1) on a unix
// socket.
//
// The interface tells who containers are and which pod they are in, but hardly how they are doing. Its stream
// of events is one that all readers share on containerd: whoever reads it takes events from the kubelet. So
// containerd is asked for its own, which it serves on the same socket, and only CRI-O, which tells everybody,
// for the interface's.
#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "engines/endpoint.h"
#include "engines/engine_client.h"
#include "engines/grpc/library.h"
#include "engines/session_holder.h"
#include "engines/support/event_loop.h"

namespace shorewatch::cri {

// How long to wait and how much to take. The defaults are for real engines.
struct CriOptions {
    std::chrono::milliseconds version_deadline = std::chrono::seconds(10);
    std::chrono::milliseconds list_deadline = std::chrono::seconds(30);
    std::chrono::milliseconds inspect_deadline = std::chrono::seconds(10);
    // For the end of a container, beyond the time that it is given to stop. A pod's sandbox has more to do.
    std::chrono::milliseconds stop_margin = std::chrono::seconds(60);
    // How long after its stream was opened CRI-O is listed once more.
    std::chrono::milliseconds list_again = std::chrono::seconds(1);
    // Verbose statuses asked for at a time, by a list of CRI-O.
    std::size_t parallel = 8;
};

inline constexpr std::string_view type_id = "k8s.io/cri-api";

class CriClient final : public EngineClient {
  public:
    // A client of containerd itself at the same endpoint, of its namespace k8s.io alone. Its ids begin with
    // "k8s.io/".
    using MakeContainerd = std::function<std::unique_ptr<EngineClient>(EventLoop&, const Endpoint&)>;

    CriClient(EventLoop& loop, Endpoint endpoint, MakeContainerd make_containerd,
              const CriOptions& options = {});
    CriClient(const CriClient&) = delete;
    CriClient& operator=(const CriClient&) = delete;
    ~CriClient() override;

    [[nodiscard]] std::string_view type() const override { return type_id; }
    [[nodiscard]] std::string api() const override { return endpoint_.url(); }

    // Neither containerd nor CRI-O can replay: since is of no use. Throws std::logic_error when a stream is
    // open already.
    void lifecycle_events(std::optional<RealTime> since, LifecycleObserver& observer) override;
    // Without an open stream, these two are answered by an error. Containers and sandboxes alike.
    void list(ListReply reply) override;
    void inspect(const std::string& id, InspectReply reply) override;
    // The interface can stop containers, and sandboxes with all that is in them; nothing else is supported.
    // Where containerd is the runtime, what was made past the interface is stopped by containerd's own
    // client.
    [[nodiscard]] EngineControl& control() override;
    void close() override;

  private:
    class Control;
    class Session;
    class Lookup;
    class Listing;
    class Looking;
    class CrioListing;
    class CrioLooking;

    grpc::Library library_;
    EventLoop& loop_;
    Endpoint endpoint_;
    MakeContainerd make_containerd_;
    // Made when it is first needed, and kept over all streams: it knows since when containers have been
    // running.
    std::unique_ptr<EngineClient> containerd_;
    CriOptions options_;
    SessionHolder<Session> session_;
    std::unique_ptr<Control> control_;
};

}  // namespace shorewatch::cri
