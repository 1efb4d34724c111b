// EngineClient: what every container engine can do for a watcher. One folder beside this file implements one
// kind.
//
// A client lives on one EventLoop and is used on that loop's thread only. Nothing here blocks: answers come
// as callbacks on the loop, never from within the call that asked. Callbacks may call the client again,
// close() included.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engines/container.h"
#include "engines/engine_control.h"
#include "engines/engine_deployment.h"
#include "engines/engine_runtime.h"
#include "engines/result.h"
#include "engines/support/peer.h"
#include "engines/support/timestamp.h"

namespace shorewatch {

// What an engine says of itself. Fields it has not (yet) told are empty.
struct EngineIdentity {
    std::string id;         // stable over restarts of the engine
    std::string version;    // of the engine's software
    std::uint32_t pid = 0;  // of its process, from SO_PEERCRED; 0: not known, or on another host
    std::optional<std::uint32_t> uid = {};  // whose it is, from SO_PEERCRED; none: the same

    // What its socket says: pid and uid.
    void take(const Peer& peer);

    bool operator==(const EngineIdentity&) const = default;
};

// Something that happened in the life of a container, in the order the engine tells it.
struct ContainerEvent {
    // removed: the container is no more. Engines that tell the end of each run need not tell it.
    enum class Type { started, exited, paused, unpaused, renamed, oom, removed };

    Type type = Type::started;
    // What the event itself carries: always id; name, image, labels, project and pid where the engine's
    // events have them. A renamed event carries the new name. Never null.
    ContainerPtr container;
    RealTime time;                 // the engine's stamp
    std::optional<int> exit_code;  // exited only. 128+n for a signal n.
};

// What an engine knows about one container, alive or dead.
struct Inspection {
    ContainerPtr container;        // the latest run; pid 0 when it is not alive. Never null.
    bool alive = false;            // an initial process exists, running or frozen
    std::optional<int> exit_code;  // of the run that ended
    std::optional<RealTime> finished;
    bool oom_killed = false;
};

// Takes what an event stream brings.
class LifecycleObserver {
  public:
    // The stream stands: whatever happens from now on is told, so that list() can be asked.
    virtual void on_stream_open() = 0;
    // What the engine says of itself; again when more is known. May come before on_stream_open(), or, where
    // the engine is slow to tell, after the first answer to list() and the inspections that follow.
    virtual void on_identity(const EngineIdentity& identity) = 0;
    virtual void on_event(const ContainerEvent& event) = 0;
    // The stream goes on, but something in it could not be taken (an event larger than the limit): list
    // again. why: a sentence for the journal; empty when it is nothing that anybody has to know.
    virtual void on_gap(const std::string& why) = 0;
    // The stream, or the attempt to open it, is over. The client is closed.
    virtual void on_stream_end(const EngineError& error) = 0;

  protected:
    ~LifecycleObserver() = default;
};

class EngineClient {
  public:
    using ListReply = std::function<void(Result<std::vector<ContainerPtr>>)>;
    using InspectReply = std::function<void(Result<Inspection>)>;

    // Ends everything under way without calling back.
    virtual ~EngineClient() = default;
    EngineClient(const EngineClient&) = delete;
    EngineClient& operator=(const EngineClient&) = delete;

    // "docker.com", "podman.io", "containerd.io", "k8s.io/cri-api"
    [[nodiscard]] virtual std::string_view type() const = 0;
    // The endpoint's URL.
    [[nodiscard]] virtual std::string api() const = 0;

    // Connects and opens the event stream. since: the stamp of the last event seen in an earlier stream of
    // this engine; engines that can replay do so from a little before it, and events already taken are not
    // told again. observer outlives the stream. Only one stream at a time; list() and inspect() need it open.
    virtual void lifecycle_events(std::optional<RealTime> since, LifecycleObserver& observer) = 0;

    // All alive containers. One with pid 0 is known in outline only: the watcher will inspect it.
    virtual void list(ListReply reply) = 0;

    // One container by its full id: alive or dead; error not_found when the engine has none.
    virtual void inspect(const std::string& id, InspectReply reply) = 0;

    // What is done to containers. Lives as long as the client.
    [[nodiscard]] virtual EngineControl& control() = 0;

    // The means to make containers and run them; null: this one has none. Lives as long as the client.
    [[nodiscard]] virtual EngineRuntime* runtime() { return nullptr; }

    // The means to bring containers where they are wanted, images and all; null: this one has none. Lives as
    // long as the client.
    [[nodiscard]] virtual EngineDeployment* deployment() { return nullptr; }

    // Ends the stream and all requests without calling back. lifecycle_events() may be called again.
    virtual void close() = 0;

  protected:
    EngineClient() = default;
};

}  // namespace shorewatch
