#include "engines/containerd/containerd_stop.h"

#include <csignal>
#include <utility>

#include "engines/containerd/containerd_control.h"
#include "engines/containerd/signals.h"
#include "engines/error_text.h"

namespace shorewatch::containerd {

namespace {

using Kind = EngineError::Kind;

// containerd's, of its client library: what the image's configuration says.
constexpr std::string_view stop_signal_label = "io.containerd.image.config.stop-signal";

int stop_signal_of(const Container& container) {
    const std::string* name = container.labels->find(stop_signal_label);
    return (name != nullptr ? signal_of(*name) : std::nullopt).value_or(SIGTERM);
}

}  // namespace

ContainerdClient::Stopping::Stopping(Session& session, Identifier identifier, std::chrono::seconds timeout,
                                     EngineControl::Done reply)
    : session_(session),
      identifier_(std::move(identifier)),
      timeout_(timeout),
      purpose_(doing("stop", identifier_.text())),
      reply_(std::move(reply)),
      patience_(session.loop(), [this] { send(SIGKILL); }) {}

void ContainerdClient::Stopping::start() {
    session_.call(request("containers.v1.Containers/Get", container_request(identifier_.id),
                          session_.options().inspect_deadline),
                  [self = shared_from_this()](const grpc::Answer& answer) { self->take_container(answer); });
}

void ContainerdClient::Stopping::take_container(const grpc::Answer& answer) {
    if (!answer) return give(answer.error);
    const auto container = decode_container(identifier_.name_space, answer.message);
    if (!container || container->id != identifier_.text()) {
        return give(make_error(Kind::protocol, purpose_, session_.endpoint(),
                               "the answer is about no container, or another one"));
    }
    wait();
    send(timeout_.count() == 0 ? SIGKILL : stop_signal_of(*container));
}

void ContainerdClient::Stopping::send(int signal) {
    session_.call(
        request("tasks.v1.Tasks/Kill", kill_request(identifier_.id, signal),
                session_.options().control_deadline),
        [self = shared_from_this(), signal](const grpc::Answer& answer) { self->take_sent(signal, answer); });
}

void ContainerdClient::Stopping::take_sent(int signal, const grpc::Answer& answer) {
    if (!reply_) return;
    const bool first = !std::exchange(sent_, true);
    if (!answer) {
        EngineError error = control_error(answer);
        // The container is there: it is its task that is not.
        if (error.kind == Kind::not_found) error.kind = Kind::not_alive;
        // It has ended by itself in the last moment, which is about to be told.
        if (!first && error.kind == Kind::not_alive) return;
        return give(std::move(error));
    }
    if (ended_) return give(std::nullopt);
    if (signal != SIGKILL) patience_.arm_after(timeout_);
}

void ContainerdClient::Stopping::wait() {
    session_.call(request("tasks.v1.Tasks/Wait", task_request(identifier_.id),
                          timeout_ + session_.options().stop_margin),
                  [self = shared_from_this()](const grpc::Answer& answer) { self->take_end(answer); });
}

void ContainerdClient::Stopping::take_end(const grpc::Answer& answer) {
    if (!reply_) return;
    if (answer) return note_end();
    const Kind kind = answer.error.kind;
    if (kind == Kind::timeout || kind == Kind::unreachable) return give(answer.error);
    // Its owner was faster to delete the task, and the shim with it.
    look(answer.error);
}

void ContainerdClient::Stopping::look(const EngineError& error) {
    session_.call(
        request("tasks.v1.Tasks/Get", task_request(identifier_.id), session_.options().inspect_deadline),
        [self = shared_from_this(), error](const grpc::Answer& answer) {
            const auto task = answer ? decode_task(answer.message) : std::nullopt;
            const bool over = task ? task->status == Task::Status::stopped
                                   : !answer && answer.error.kind == Kind::not_found;
            over ? self->note_end() : self->give(error);
        });
}

void ContainerdClient::Stopping::note_end() {
    ended_ = true;
    // Of what had ended before it was sent the signal, the answer to that tells.
    if (sent_) give(std::nullopt);
}

void ContainerdClient::Stopping::give(std::optional<EngineError> error) {
    patience_.disarm();
    if (const auto call = std::exchange(reply_, nullptr)) call(std::move(error));
}

grpc::Request ContainerdClient::Stopping::request(const char* method, std::string message,
                                                  std::chrono::milliseconds deadline) const {
    return request_to("/containerd.services." + std::string(method), purpose_, std::move(message),
                      identifier_.name_space, deadline);
}

}  // namespace shorewatch::containerd
