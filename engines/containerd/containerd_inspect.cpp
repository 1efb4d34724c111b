#include "engines/containerd/containerd_inspect.h"

#include <utility>

#include "engines/error_text.h"

namespace shorewatch::containerd {

using Kind = EngineError::Kind;

std::string ContainerdClient::Looking::purpose() const {
    return "inspect container " + identifier_.text();
}

void ContainerdClient::Looking::start() {
    const auto deadline = session_.options().inspect_deadline;
    under_way_ = 2;
    session_.call(request_to("/containerd.services.containers.v1.Containers/Get", purpose(),
                             container_request(identifier_.id), identifier_.name_space, deadline),
                  [self = shared_from_this()](const grpc::Answer& answer) { self->take_container(answer); });
    session_.call(request_to("/containerd.services.tasks.v1.Tasks/Get", purpose(),
                             task_request(identifier_.id), identifier_.name_space, deadline),
                  [self = shared_from_this()](const grpc::Answer& answer) { self->take_task(answer); });
}

void ContainerdClient::Looking::take_container(const grpc::Answer& answer) {
    if (!reply_) return;
    if (!answer) return reply_.give(answer.error);
    auto container = decode_container(identifier_.name_space, answer.message);
    if (!container || container->id != identifier_.text()) {
        return reply_.give(make_error(Kind::protocol, purpose(), session_.endpoint(),
                                      "the answer is about no container, or another one"));
    }
    container_ = std::move(*container);
    finish_one();
}

void ContainerdClient::Looking::take_task(const grpc::Answer& answer) {
    if (!reply_) return;
    if (!answer && answer.error.kind != Kind::not_found) return reply_.give(answer.error);
    if (answer) {
        task_ = decode_task(answer.message);
        if (!task_) {
            return reply_.give(
                make_error(Kind::protocol, purpose(), session_.endpoint(), "the answer is about no task"));
        }
        if (task_->status == Task::Status::unknown || (task_->is_alive() && task_->pid == 0)) {
            return reply_.give(make_error(Kind::engine, purpose(), session_.endpoint(),
                                          "its shim does not say how it is; does it hang?"));
        }
    }
    finish_one();
}

void ContainerdClient::Looking::finish_one() {
    if (--under_way_ > 0) return;
    reply_.give(inspection());
}

Inspection ContainerdClient::Looking::inspection() {
    Inspection inspection;
    KnownRuns& runs = session_.runs();
    if (task_ && task_->is_alive()) {
        container_.started = runs.see(container_.id, task_->pid, {}, session_.pids());
        container_.pid = session_.pids().to_ours(task_->pid);
        // Not if the process has gone since containerd looked.
        inspection.alive = container_.pid != 0;
        container_.paused = inspection.alive && task_->is_paused();
    } else if (task_ && task_->status == Task::Status::stopped) {
        if (std::in_range<int>(task_->exit_status))
            inspection.exit_code = static_cast<int>(task_->exit_status);
        inspection.finished = task_->exited;
        container_.started = runs.started(container_.id, task_->pid);
    }
    inspection.container = std::make_shared<const Container>(std::move(container_));
    return inspection;
}

}  // namespace shorewatch::containerd
