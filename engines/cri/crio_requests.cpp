#include "engines/cri/crio_requests.h"

#include <utility>

#include "engines/error_text.h"

namespace shorewatch::cri {

namespace {

using Kind = EngineError::Kind;

const char* status_method(bool of_sandbox) {
    return of_sandbox ? "PodSandboxStatus" : "ContainerStatus";
}

std::optional<Status> decode_status(bool of_sandbox, std::string_view bytes) {
    return of_sandbox ? decode_pod_status(bytes) : decode_container_status(bytes);
}

std::shared_ptr<Container> made(const std::string& id, const Found& found, const Status& status) {
    auto container = std::make_shared<Container>();
    container->id = container->name = id;
    container->privileged = status.privileged;
    container->started = status.started;
    static_cast<void>(found.describe(id, *container));
    return container;
}

}  // namespace

void CriClient::CrioListing::start() {
    std::make_shared<Lookup>(
        session_, "", "list containers",
        [self = shared_from_this()](Result<Found> found) { self->take_found(std::move(found)); })
        ->start();
}

void CriClient::CrioListing::take_found(Result<Found> found) {
    if (!found) return reply_.give(found.error());
    found_ = std::move(found.value());
    for (const auto& [id, record] : found_.containers) {
        if (record.running) questions_.push_back({id, false});
    }
    for (const auto& [id, pod] : found_.pods) {
        if (pod.ready) questions_.push_back({id, true});
    }
    ask();
}

void CriClient::CrioListing::ask() {
    while (under_way_ < session_.options().parallel && next_ < questions_.size()) {
        const Question& question = questions_[next_++];
        ++under_way_;
        session_.call(status_method(question.of_sandbox), "inspect " + question.id,
                      verbose_status_request(question.id), session_.options().inspect_deadline,
                      [self = shared_from_this(), &question](const grpc::Answer& answer) {
                          self->take_status(question, answer);
                      });
    }
    if (under_way_ > 0 || !reply_) return;
    reply_.give(std::move(alive_));
}

void CriClient::CrioListing::take_status(const Question& question, const grpc::Answer& answer) {
    if (!reply_) return;
    --under_way_;
    // Gone meanwhile: an event tells of it.
    const bool gone = answer.code == grpc::Code::not_found;
    if (!answer && !gone) return reply_.give(answer.error);
    if (!gone) {
        const auto status = decode_status(question.of_sandbox, answer.message);
        if (!status) {
            return reply_.give(make_error(Kind::protocol, "inspect " + question.id, session_.endpoint(),
                                          "its status makes no sense"));
        }
        // A sandbox without a process is no container.
        const std::uint32_t pid = status->running ? session_.pids().to_ours(status->pid) : 0;
        if (pid != 0) {
            const auto container = made(question.id, found_, *status);
            container->pid = pid;
            if (question.of_sandbox) session_.note_sandbox(question.id);
            alive_.push_back(container);
        }
    }
    ask();
}

void CriClient::CrioLooking::start() {
    std::make_shared<Lookup>(
        session_, id_, "inspect container " + id_,
        [self = shared_from_this()](Result<Found> found) { self->take_found(std::move(found)); })
        ->start();
}

void CriClient::CrioLooking::take_found(Result<Found> found) {
    if (!found) return reply_.give(found.error());
    found_ = std::move(found.value());
    const bool is_container = found_.containers.contains(id_);
    if (!is_container && !found_.pods.contains(id_)) {
        return fail(Kind::not_found, "there is no such container or sandbox");
    }
    session_.call(status_method(!is_container), "inspect container " + id_, verbose_status_request(id_),
                  session_.options().inspect_deadline,
                  [self = shared_from_this(), is_container](const grpc::Answer& answer) {
                      self->take_status(!is_container, answer);
                  });
}

void CriClient::CrioLooking::take_status(bool of_sandbox, const grpc::Answer& answer) {
    if (!answer) return reply_.give(answer.error);
    const auto status = decode_status(of_sandbox, answer.message);
    if (!status) return fail(Kind::protocol, "its status makes no sense");
    if (status->running && status->pid == 0 && !of_sandbox) {
        return fail(Kind::engine, "its verbose status does not tell the pid");
    }
    Inspection inspection;
    const std::uint32_t pid = status->running ? session_.pids().to_ours(status->pid) : 0;
    inspection.alive = pid != 0;
    inspection.exit_code = status->exit_code;
    inspection.finished = status->finished;
    const auto container = made(id_, found_, *status);
    container->pid = pid;
    inspection.container = container;
    reply_.give(std::move(inspection));
}

void CriClient::CrioLooking::fail(EngineError::Kind kind, std::string_view cause) {
    reply_.give(make_error(kind, "inspect container " + id_, session_.endpoint(), cause));
}

}  // namespace shorewatch::cri
