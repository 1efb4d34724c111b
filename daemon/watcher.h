// A watcher: one thread that owns an engine's client, loop and portfolio. Nobody else touches them.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <thread>

#include "daemon/change.h"
#include "daemon/control_request.h"
#include "daemon/engine_watch.h"
#include "daemon/runtime/runtime.h"
#include "engines/endpoint.h"
#include "engines/engine_client.h"
#include "engines/support/event_loop.h"

namespace shorewatch {

class Watcher {
  public:
    // Called once, on the watcher's thread.
    using MakeClient = std::function<std::unique_ptr<EngineClient>(EventLoop&)>;
    // Called on the watcher's thread, in the order of what happened. Must not block.
    using Publish = std::function<void(Change)>;

    // Starts the thread.
    // processes, tell_deployment: as EngineWatch has them.
    Watcher(std::string name, Endpoint endpoint, MakeClient make_client, Publish publish,
            InitProcesses* processes = nullptr, EngineWatch::Timing timing = {},
            std::optional<EngineWatch::RuntimeUse> runtime = {}, DeploymentDesk::Tell tell_deployment = {});
    Watcher(const Watcher&) = delete;
    Watcher& operator=(const Watcher&) = delete;
    // Stops and joins: whatever the engine is doing, the thread never waits for it.
    ~Watcher();

    // Has the thread end soon, so that many can be ended side by side before each is joined.
    void stop();
    void resync();
    // Has the engine do something to a container. reply is called once, on the watcher's thread; and not at
    // all when the watcher ends before it could begin.
    void control(ControlRequest request, ControlReply reply);

    // Has something done with the engine's runtime. reply as control() has it.
    void runtime(RuntimeRequest request, RuntimeReply reply);

    // Has something done for the task engine. reply as control() has it.
    void deploy(DeploymentRequest request, DeploymentReply reply);

    // Is the thread's loop turning? True when it has answered the question before this one, and asks again.
    [[nodiscard]] bool is_turning();

  private:
    void run(const MakeClient& make_client) noexcept;
    void watch(const MakeClient& make_client);
    void turn(EngineWatch& watch);
    void turn_without_watch();

    std::string name_;
    Endpoint endpoint_;
    Publish publish_;
    InitProcesses* processes_;
    EngineWatch::Timing timing_;
    std::optional<EngineWatch::RuntimeUse> runtime_;
    DeploymentDesk::Tell tell_deployment_;
    EventLoop loop_;
    EngineWatch* watch_ = nullptr;  // the watcher's thread only
    std::atomic<std::uint64_t> answered_{0};
    std::uint64_t asked_ = 0;
    std::thread thread_;  // last: it uses all of the above
};

}  // namespace shorewatch
