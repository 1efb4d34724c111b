// One life of a connection to a runtime: which one it is, and where its events come from.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>

#include "engines/cri/cri_client.h"
#include "engines/cri/messages.h"
#include "engines/grpc/calls.h"
#include "engines/grpc/connection.h"
#include "engines/support/pid_namespace.h"

namespace shorewatch::cri {

// Held by its CriClient until it ends, and by itself while it calls back: an observer may close the client or
// destroy it.
class CriClient::Session final : public std::enable_shared_from_this<CriClient::Session>,
                                 private LifecycleObserver {
  public:
    Session(CriClient& owner, LifecycleObserver& observer);
    Session(const Session&) = delete;
    Session& operator=(const Session&) = delete;
    virtual ~Session() = default;

    void start();
    // Nothing is called back from here on. The owner is not touched any more.
    void end();
    // Does the event stream stand?
    [[nodiscard]] bool is_open() const noexcept { return open_; }

    // A unary call of the runtime service; method: "Version". done is called unless the session ends before.
    void call(const std::string& method, std::string purpose, std::string message,
              std::chrono::milliseconds deadline, grpc::Reply done);

    // containerd's own client, where containerd is the runtime; else null.
    [[nodiscard]] EngineClient* containerd() noexcept { return containerd_; }
    // What waits for a timer, and not for a call, is held here, so that it ends with the session.
    void hold(std::shared_ptr<Looking> waiting) { waiting_.insert(std::move(waiting)); }
    void release(const std::shared_ptr<Looking>& waiting) { waiting_.erase(waiting); }

    // CRI-O: this sandbox has a process, and its end is to be told.
    void note_sandbox(const std::string& id) { sandboxes_[id].known = true; }

    // Of the engine's pids.
    [[nodiscard]] const PidNamespace& pids() const noexcept { return pids_; }
    [[nodiscard]] EventLoop& loop() noexcept { return loop_; }
    [[nodiscard]] const Endpoint& endpoint() const noexcept { return endpoint_; }
    [[nodiscard]] const CriOptions& options() const noexcept { return options_; }

  private:
    // A sandbox of CRI-O's. Most have no process of their own, and their events are nobody's start or end.
    struct Sandbox {
        bool known = false;                 // it has a process
        std::optional<ContainerEvent> end;  // told while that was being asked
    };

    // What containerd's own client tells.
    void on_stream_open() override;
    void on_identity(const EngineIdentity& identity) override;
    void on_event(const ContainerEvent& event) override;
    void on_gap(const std::string& why) override;
    void on_stream_end(const EngineError& error) override;

    void connect();
    void take_version(const grpc::Answer& answer);
    void follow_containerd();
    void follow_crio();
    void take_message(std::string_view bytes);
    void take_sandbox_event(const ContainerEvent& event);
    void take_sandbox_status(const ContainerEvent& start, const grpc::Answer& answer);
    void take_end(const grpc::Answer& answer);
    void take_open();
    void fail(const EngineError& error);
    void fail(EngineError::Kind kind, std::string_view purpose, std::string_view cause);

    CriClient& owner_;  // until ended_
    EventLoop& loop_;
    const Endpoint endpoint_;
    const CriOptions options_;
    LifecycleObserver& observer_;
    bool ended_ = false;
    bool open_ = false;
    EngineIdentity identity_;
    Timer list_again_;                                    // CRI-O: a while after the stream was opened
    std::unordered_map<std::string, Sandbox> sandboxes_;  // CRI-O's, by id
    EngineClient* containerd_ = nullptr;                  // the owner's, if it is used
    std::unique_ptr<grpc::Connection> connection_;
    PidNamespace pids_;
    grpc::Calls calls_;
    std::unordered_set<std::shared_ptr<Looking>> waiting_;
};

// An id as containerd's own client has it, and back.
[[nodiscard]] std::string containerd_id(const std::string& id);
[[nodiscard]] std::string own_id(const std::string& containerd_id);

}  // namespace shorewatch::cri
