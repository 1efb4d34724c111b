// The engine of the task engine as it is: one that a watcher watches, on a thread of its own.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "daemon/change.h"
#include "daemon/tasks/deployment_request.h"
#include "daemon/tasks/task_backend.h"
#include "engines/support/event_loop.h"

namespace shorewatch {

// Lives on the main thread, and is told there what the engine's watcher has told.
class WatcherBackend final : public TaskBackend {
  public:
    // Hands a request to the watcher of the engine that there is. The reply is called once, from the main
    // loop and not within the call.
    using Hand = std::function<void(DeploymentRequest, DeploymentReply)>;

    // loop outlives this.
    WatcherBackend(EventLoop& loop, Hand hand) : loop_(loop), handing_(std::move(hand)) {}

    // From the main loop, never from within a call of the observer's.
    void engine_up();
    void engine_down(const std::string& why);
    void take(const Change& change);

    void observe(TaskBackendObserver& observer) override;
    void pull(const std::string& image, const std::optional<RegistryCredentials>& credentials,
              Done reply) override;
    void find_image(const std::string& image, Done reply) override;
    void list_images(ImagesReply reply) override;
    void create(const ContainerPlan& plan, TextReply reply) override;
    void start(const std::string& id, Done reply) override;
    void inspect(const std::string& id_or_name, ContainerReply reply) override;
    void find_containers(const std::string& label, ContainersReply reply) override;
    void remove(const std::string& id, Done reply) override;
    void create_volume(const std::string& name, const StringPairs& labels, Done reply) override;
    void remove_volume(const std::string& name, Done reply) override;
    void stop(const std::string& id, std::chrono::seconds timeout, Done reply) override;

  private:
    // What is answered after the end of this is nobody's any more.
    void hand(DeploymentRequest request, DeploymentReply reply);

    EventLoop& loop_;
    const Hand handing_;
    TaskBackendObserver* observer_ = nullptr;  // from when it was told for the first time
    bool up_ = false;
    // Of what may have its turn after the end of this.
    std::shared_ptr<int> alive_ = std::make_shared<int>();
};

}  // namespace shorewatch
