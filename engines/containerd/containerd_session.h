// One life of a connection to containerd: open the event stream, know that it stands, carry requests.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "engines/containerd/containerd_client.h"
#include "engines/grpc/calls.h"
#include "engines/grpc/connection.h"
#include "engines/support/pid_namespace.h"

namespace shorewatch::containerd {

// Held by its ContainerdClient until it ends, and by itself while it calls back: an observer may close the
// client or destroy it.
//
// containerd doesn't say when a subscription stands: it answers with the first event, whenever that comes. So
// the session publishes an event of its own, under a topic that nobody else has, until its stream brings it:
// from then on nothing is missed. Nobody else is bothered, for who follows containerd's events follows
// topics or types, and this has one that means nothing.
class ContainerdClient::Session : public std::enable_shared_from_this<ContainerdClient::Session> {
  public:
    Session(ContainerdClient& owner, LifecycleObserver& observer);

    void start();
    // Nothing is called back from here on. The owner is not touched any more.
    void end();
    // Does the event stream stand?
    [[nodiscard]] bool is_open() const noexcept { return open_; }

    // done is called unless the session ends before.
    void call(grpc::Request request, grpc::Reply done);
    void stream(grpc::Request request, grpc::StreamHandlers handlers);

    [[nodiscard]] EventLoop& loop() noexcept { return loop_; }
    [[nodiscard]] const Endpoint& endpoint() const noexcept { return endpoint_; }
    [[nodiscard]] const ContainerdOptions& options() const noexcept { return options_; }
    [[nodiscard]] const Namespaces& namespaces() const noexcept { return owner_.namespaces_; }
    [[nodiscard]] KnownRuns& runs() noexcept { return owner_.runs_; }
    // Of the engine's pids.
    [[nodiscard]] const PidNamespace& pids() const noexcept { return pids_; }

  private:
    void connect();
    void ask_identity();
    void take_identity(const std::string& what, const grpc::Answer& answer,
                       const std::function<bool(std::string_view)>& take);
    void subscribe();
    void publish_mark();
    void take_published(const grpc::Answer& answer);
    void take_message(std::string_view bytes);
    void take_event(ContainerEvent event);
    void take_open();
    void fail(const EngineError& error);
    void fail_stream(EngineError::Kind kind, std::string_view cause);

    ContainerdClient& owner_;  // until ended_
    EventLoop& loop_;
    const Endpoint endpoint_;
    const ContainerdOptions options_;
    LifecycleObserver& observer_;
    bool ended_ = false;
    bool open_ = false;
    std::string mark_;  // the topic of our own event
    std::chrono::milliseconds next_publish_;
    EngineIdentity identity_;
    std::uint64_t skipped_ = 0;  // events that were not used
    Timer deadline_;             // until the stream stands
    Timer publish_again_;
    std::unique_ptr<grpc::Connection> connection_;
    PidNamespace pids_;
    grpc::Calls calls_;
    grpc::Call events_;
};

// A request to a method of containerd, in a namespace if one is given.
[[nodiscard]] grpc::Request request_to(std::string method, std::string purpose, std::string message,
                                       const std::string& name_space, std::chrono::milliseconds deadline);

}  // namespace shorewatch::containerd
