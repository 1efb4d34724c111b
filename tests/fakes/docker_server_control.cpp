// What is done to containers by way of the API: dockerd 20.10's refusals, in its words, and its events.
#include <charconv>

#include "tests/fakes/docker_server.h"

namespace shorewatch::fakes {

namespace {

using State = FakeContainer::State;

Answer refusal(int status, const std::string& message) {
    return {status, error_json(message)};
}

int number_in(const std::string& text) {
    int number = 0;
    std::from_chars(text.data(), text.data() + text.size(), number);
    return number;
}

}  // namespace

Answer DockerServer::control(const SeenRequest& request) {
    const FakeContainer* container = world.model.find(request.container);
    if (container == nullptr) return refusal(404, "No such container: " + request.container);
    const std::string id = container->spec.id;
    const std::string called = "Container " + id;
    const bool paused = container->state == State::paused;
    const auto act = [this](DockerModel::Events events) {
        for (DockerEvent& event : events)
            publish(std::move(event));
        return Answer{204, {}, {}};
    };
    if (request.action == "unpause") {
        return paused ? act(world.model.unpause(id)) : refusal(500, called + " is not paused");
    }
    if (request.action == "stop") {
        return container->has_process() ? act(world.model.stop(id, 143)) : Answer{304, {}, {}};
    }
    if (request.action == "pause") {
        if (!container->has_process()) return refusal(409, called + " is not running");
        return paused ? refusal(409, called + " is already paused") : act(world.model.pause(id));
    }
    if (request.action == "kill") {
        if (!container->has_process()) {
            return refusal(409, "Cannot kill container: " + id + ": " + called + " is not running");
        }
        const int signal = number_in(request.http.parameter("signal"));
        const Answer sent = act(world.model.kill(id, signal));
        return signal == 9 ? act(world.model.die(id, 137)) : sent;
    }
    return refusal(404, "page not found");
}

}  // namespace shorewatch::fakes
