#include "daemon/tasks/watcher_backend.h"

#include <utility>

namespace shorewatch {

namespace {

// Ways between what the engine's client answers, the answer that goes from thread to thread, and what was
// asked for.

EngineDeployment::Done sending_done(DeploymentReply reply) {
    return [call = std::move(reply)](std::optional<EngineError> error) {
        error ? call(*std::move(error)) : call(DeploymentAnswer{});
    };
}

template <typename Value>
std::function<void(Result<Value>)> sending(DeploymentReply reply) {
    return [call = std::move(reply)](Result<Value> result) {
        result ? call(DeploymentAnswer(std::move(result.value()))) : call(result.error());
    };
}

DeploymentReply taking_done(EngineDeployment::Done reply) {
    return [call = std::move(reply)](const Result<DeploymentAnswer>& answer) {
        answer ? call(std::nullopt) : call(answer.error());
    };
}

template <typename Value>
DeploymentReply taking(std::function<void(Result<Value>)> reply) {
    return [call = std::move(reply)](Result<DeploymentAnswer> answer) {
        answer ? call(std::get<Value>(std::move(answer.value()))) : call(answer.error());
    };
}

}  // namespace

void WatcherBackend::observe(TaskBackendObserver& observer) {
    loop_.post([this, &observer, alive = std::weak_ptr(alive_)] {
        if (alive.expired()) return;
        observer_ = &observer;
        if (up_) observer.on_engine_up();
    });
}

void WatcherBackend::engine_up() {
    if (std::exchange(up_, true)) return;
    if (observer_ != nullptr) observer_->on_engine_up();
}

void WatcherBackend::engine_down(const std::string& why) {
    if (!std::exchange(up_, false)) return;
    if (observer_ != nullptr) observer_->on_engine_down(why);
}

void WatcherBackend::take(const Change& change) {
    if (observer_ == nullptr) return;
    if (const auto* const started = std::get_if<ContainerStarted>(&change)) {
        observer_->on_container_started(started->container->id);
    } else if (const auto* const exited = std::get_if<ContainerExited>(&change)) {
        observer_->on_container_exited(exited->container->id, exited->exit_code, exited->oom_killed,
                                       exited->time);
    }
}

void WatcherBackend::hand(DeploymentRequest request, DeploymentReply reply) {
    handing_(std::move(request),
             [alive = std::weak_ptr(alive_), call = std::move(reply)](Result<DeploymentAnswer> answer) {
                 if (!alive.expired()) call(std::move(answer));
             });
}

void WatcherBackend::pull(const std::string& image, const std::optional<RegistryCredentials>& credentials,
                          Done reply) {
    hand({"pull image " + image,
          [image, credentials](const DeploymentTools& tools, DeploymentReply answer) {
              tools.deployment.pull(image, credentials, sending_done(std::move(answer)));
          }},
         taking_done(std::move(reply)));
}

void WatcherBackend::find_image(const std::string& image, Done reply) {
    hand({"find image " + image,
          [image](const DeploymentTools& tools, DeploymentReply answer) {
              tools.deployment.find_image(image, sending_done(std::move(answer)));
          }},
         taking_done(std::move(reply)));
}

void WatcherBackend::list_images(ImagesReply reply) {
    using Images = std::vector<DeployedImage>;
    hand({"list images",
          [](const DeploymentTools& tools, DeploymentReply answer) {
              tools.deployment.list_images(sending<Images>(std::move(answer)));
          }},
         taking<Images>(std::move(reply)));
}

void WatcherBackend::create(const ContainerPlan& plan, TextReply reply) {
    hand({"create container " + plan.name,
          [plan](const DeploymentTools& tools, DeploymentReply answer) {
              tools.deployment.create(plan, sending<std::string>(std::move(answer)));
          }},
         taking<std::string>(std::move(reply)));
}

void WatcherBackend::start(const std::string& id, Done reply) {
    hand({doing("start", id),
          [id](const DeploymentTools& tools, DeploymentReply answer) {
              tools.deployment.start(id, sending_done(std::move(answer)));
          }},
         taking_done(std::move(reply)));
}

void WatcherBackend::inspect(const std::string& id_or_name, ContainerReply reply) {
    hand({doing("inspect", id_or_name),
          [id_or_name](const DeploymentTools& tools, DeploymentReply answer) {
              tools.deployment.inspect(id_or_name, sending<DeployedContainer>(std::move(answer)));
          }},
         taking<DeployedContainer>(std::move(reply)));
}

void WatcherBackend::find_containers(const std::string& label, ContainersReply reply) {
    using Containers = std::vector<DeployedContainer>;
    hand({"find containers by label",
          [label](const DeploymentTools& tools, DeploymentReply answer) {
              tools.deployment.find_containers(label, sending<Containers>(std::move(answer)));
          }},
         taking<Containers>(std::move(reply)));
}

void WatcherBackend::remove(const std::string& id, Done reply) {
    hand({doing("remove", id),
          [id](const DeploymentTools& tools, DeploymentReply answer) {
              tools.deployment.remove(id, sending_done(std::move(answer)));
          }},
         taking_done(std::move(reply)));
}

void WatcherBackend::create_volume(const std::string& name, const StringPairs& labels, Done reply) {
    hand({"create volume " + name,
          [name, labels](const DeploymentTools& tools, DeploymentReply answer) {
              tools.deployment.create_volume(name, labels, sending_done(std::move(answer)));
          }},
         taking_done(std::move(reply)));
}

void WatcherBackend::remove_volume(const std::string& name, Done reply) {
    hand({"remove volume " + name,
          [name](const DeploymentTools& tools, DeploymentReply answer) {
              tools.deployment.remove_volume(name, sending_done(std::move(answer)));
          }},
         taking_done(std::move(reply)));
}

void WatcherBackend::stop(const std::string& id, std::chrono::seconds timeout, Done reply) {
    hand({doing("stop", id),
          [id, timeout](const DeploymentTools& tools, DeploymentReply answer) {
              tools.control.stop(id, timeout, sending_done(std::move(answer)));
          }},
         taking_done(std::move(reply)));
}

}  // namespace shorewatch
