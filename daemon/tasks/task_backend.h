// TaskBackend: the engine, as the task engine sees it from the main thread. Behind it is a watcher, whose
// engine comes and goes (daemon/tasks/watcher_backend.h), or a fake one (tests/fakes).
#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <string>

#include "engines/engine_deployment.h"
#include "engines/result.h"
#include "engines/support/timestamp.h"

namespace shorewatch {

// What the engine's watcher tells of containers, in order. Any container of the engine, not only a task's.
class TaskBackendObserver {
  public:
    // The engine is watched: whatever ends from now on is told. Whoever missed something asks now.
    virtual void on_engine_up() = 0;
    // What is under way is answered by errors; what ends now is told when it is back, or found by asking.
    virtual void on_engine_down(const std::string& why) = 0;
    virtual void on_container_started(const std::string& id) = 0;
    // code and oom_killed where they are known.
    virtual void on_container_exited(const std::string& id, std::optional<int> code,
                                     std::optional<bool> oom_killed, std::optional<RealTime> time) = 0;

  protected:
    ~TaskBackendObserver() = default;
};

// Used on the main thread. None of it blocks. Each reply is called once, from the main loop and never from
// within the call that asked; with an error of kind unreachable when there is no engine, or no more. What is
// done may have been done all the same.
class TaskBackend {
  public:
    using Done = EngineDeployment::Done;
    using TextReply = EngineDeployment::TextReply;
    using ContainerReply = EngineDeployment::ContainerReply;
    using ContainersReply = EngineDeployment::ContainersReply;
    using ImagesReply = EngineDeployment::ImagesReply;

    virtual ~TaskBackend() = default;
    TaskBackend(const TaskBackend&) = delete;
    TaskBackend& operator=(const TaskBackend&) = delete;

    // Before anything else. observer outlives this, and is told on the main loop, never from within a call;
    // first of all that the engine is up, when it is.
    virtual void observe(TaskBackendObserver& observer) = 0;

    // As EngineDeployment has them.
    virtual void pull(const std::string& image, const std::optional<RegistryCredentials>& credentials,
                      Done reply) = 0;
    virtual void find_image(const std::string& image, Done reply) = 0;
    virtual void list_images(ImagesReply reply) = 0;
    virtual void create(const ContainerPlan& plan, TextReply reply) = 0;
    virtual void start(const std::string& id, Done reply) = 0;
    virtual void inspect(const std::string& id_or_name, ContainerReply reply) = 0;
    virtual void find_containers(const std::string& label, ContainersReply reply) = 0;
    virtual void remove(const std::string& id, Done reply) = 0;
    virtual void create_volume(const std::string& name, const StringPairs& labels, Done reply) = 0;
    virtual void remove_volume(const std::string& name, Done reply) = 0;
    // As EngineControl has it.
    virtual void stop(const std::string& id, std::chrono::seconds timeout, Done reply) = 0;

  protected:
    TaskBackend() = default;
};

}  // namespace shorewatch
