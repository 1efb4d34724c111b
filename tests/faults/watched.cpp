#include "tests/faults/watched.h"

#include <memory>
#include <variant>

#include "tests/unit/catch.h"

namespace shorewatch::fakes {

Watched::Watched(const FakeDocker& engine, docker::DockerOptions options, EngineWatch::Timing timing,
                 InitProcesses* processes, DeploymentDesk::Tell tell_deployment)
    : watcher_(
          "docker", engine.endpoint(),
          [endpoint = engine.endpoint(), options](EventLoop& loop) {
              return std::make_unique<docker::DockerClient>(loop, endpoint, options);
          },
          [this](const Change& change) { take(change); }, processes, timing, std::nullopt,
          std::move(tell_deployment)) {}

bool Watched::wait_for(EngineState state) {
    return wait([&] { return status_.state == state; });
}

bool Watched::wait_for(const std::string& id, const std::string& history) {
    if (wait([&] { return histories_[id] == history; })) return true;
    UNSCOPED_INFO("what was told: " << this->history(id));
    return false;
}

bool Watched::wait_for_error(const std::string& text) {
    return wait([&] { return status_.last_error.find(text) != std::string::npos; });
}

bool Watched::wait_for_alive(const Alive& expected) {
    return wait([&] { return alive_ == expected; });
}

std::string Watched::history(const std::string& id) {
    const std::lock_guard lock(mutex_);
    return histories_[id];
}

EngineStatus Watched::status() {
    const std::lock_guard lock(mutex_);
    return status_;
}

std::vector<EngineState> Watched::states() {
    const std::lock_guard lock(mutex_);
    return states_;
}

bool Watched::wait(const std::function<bool()>& holds) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, patience, holds);
}

void Watched::take(const Change& change) {
    const std::lock_guard lock(mutex_);
    std::visit([this](const auto& what) { note(what); }, change);
    changed_.notify_all();
}

void Watched::note(const ContainerStarted& change) {
    add(change.container->id, "started");
    if (change.container->pid != 0) show(change.container);
}

void Watched::note(const ContainerExited& change) {
    add(change.container->id, "exited:" + (change.exit_code ? std::to_string(*change.exit_code) : "?"));
    alive_.erase(change.container->id);
}

void Watched::note(const ContainerPaused& change) {
    add(change.container->id, "paused");
    show(change.container);
}

void Watched::note(const ContainerUnpaused& change) {
    add(change.container->id, "unpaused");
    show(change.container);
}

void Watched::note(const ContainerRenamed& change) {
    add(change.container->id, "renamed");
    show(change.container);
}

void Watched::note(const EngineChanged& change) {
    status_ = change.status;
    if (states_.empty() || states_.back() != change.status.state) states_.push_back(change.status.state);
}

void Watched::add(const std::string& id, const std::string& word) {
    std::string& history = histories_[id];
    history += (history.empty() ? "" : " ") + word;
}

void Watched::show(const ContainerPtr& container) {
    alive_[container->id] = {container->name, container->paused};
}

}  // namespace shorewatch::fakes
