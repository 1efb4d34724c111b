// A Watcher of a fake Docker engine, on a thread of its own as in the daemon, and all that it has published.
#pragma once

#include <condition_variable>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "daemon/watcher.h"
#include "engines/docker/docker_client.h"
#include "tests/fakes/fake_docker.h"

namespace shorewatch::fakes {

class Watched {
  public:
    // As published: name, and whether it is paused, by id.
    using Alive = std::map<std::string, std::pair<std::string, bool>>;

    // processes, tell_deployment: as Watcher has them. The fake's pids are made up, unless a test says
    // otherwise.
    explicit Watched(const FakeDocker& engine, docker::DockerOptions options = {},
                     EngineWatch::Timing timing = {}, InitProcesses* processes = nullptr,
                     DeploymentDesk::Tell tell_deployment = {});

    // These wait for `patience` at most, and return whether it came so.
    [[nodiscard]] bool wait_for(EngineState state);
    // A container's history: "started exited:7 started". What it is instead is shown when the test fails.
    [[nodiscard]] bool wait_for(const std::string& id, const std::string& history);
    [[nodiscard]] bool wait_for_error(const std::string& text);
    [[nodiscard]] bool wait_for_alive(const Alive& expected);

    [[nodiscard]] std::string history(const std::string& id);
    [[nodiscard]] EngineStatus status();
    // All it has been in, in order.
    [[nodiscard]] std::vector<EngineState> states();

    void resync() { watcher_.resync(); }
    void control(ControlRequest request, ControlReply reply) {
        watcher_.control(std::move(request), std::move(reply));
    }
    void deploy(DeploymentRequest request, DeploymentReply reply) {
        watcher_.deploy(std::move(request), std::move(reply));
    }
    [[nodiscard]] bool is_turning() { return watcher_.is_turning(); }

  private:
    bool wait(const std::function<bool()>& holds);

    void take(const Change& change);
    void note(const ContainerStarted& change);
    void note(const ContainerExited& change);
    void note(const ContainerPaused& change);
    void note(const ContainerUnpaused& change);
    void note(const ContainerRenamed& change);
    void note(const EngineChanged& change);
    void add(const std::string& id, const std::string& word);
    void show(const ContainerPtr& container);

    std::mutex mutex_;
    std::condition_variable changed_;
    std::map<std::string, std::string> histories_;
    Alive alive_;
    EngineStatus status_;
    std::vector<EngineState> states_;
    Watcher watcher_;  // last: it publishes from its first moment on
};

}  // namespace shorewatch::fakes
