#include "engines/containerd/containerd_control.h"

#include <array>
#include <memory>
#include <string_view>
#include <utility>

#include "engines/containerd/containerd_session.h"
#include "engines/containerd/containerd_stop.h"
#include "engines/containerd/inspection_json.h"
#include "engines/error_text.h"
#include "engines/error_words.h"

namespace shorewatch::containerd {

namespace {

using Kind = EngineError::Kind;

// Of the shim of containerd 1.6, all of them with the code UNKNOWN, and of its later ones.
constexpr std::array<ErrorWords, 8> known_words{{{"cannot pause a paused container", Kind::conflict},
                                                 {"cannot resume a running", Kind::conflict},
                                                 {"process already finished", Kind::not_alive},
                                                 {"a stopped container", Kind::not_alive},
                                                 {"a stopped process", Kind::not_alive},
                                                 {"a deleted process", Kind::not_alive},
                                                 {"in created state", Kind::not_alive},
                                                 {"container not running", Kind::not_alive}}};

}  // namespace

EngineError control_error(const grpc::Answer& answer) {
    EngineError error = answer.error;
    if (const auto kind = kind_in(error.message, known_words)) {
        error.kind = *kind;
    } else if (answer.code == grpc::Code::failed_precondition) {
        error.kind = Kind::conflict;
    }
    return error;
}

std::optional<ContainerdClient::Control::Place> ContainerdClient::Control::place_of(
    const std::string& id, const std::string& purpose, std::function<void(EngineError)> reply) {
    Session* session = owner_.session_.open();
    auto identifier = Identifier::parse(id);
    if (session == nullptr) {
        owner_.session_.refuse_without_session(purpose, std::move(reply));
    } else if (!identifier || !owner_.namespaces_.watches(identifier->name_space)) {
        owner_.session_.refuse(
            Kind::not_found, purpose,
            "there is no such container; expected NAMESPACE/ID of a namespace that is watched",
            std::move(reply));
    } else {
        return Place{*session, std::move(*identifier)};
    }
    return std::nullopt;
}

void ContainerdClient::Control::pause(const std::string& id, Done reply) {
    const std::string purpose = doing("pause", id);
    if (const auto place = place_of(id, purpose, reply))
        act(*place, "Pause", task_request(place->identifier.id), purpose, std::move(reply));
}

void ContainerdClient::Control::unpause(const std::string& id, Done reply) {
    const std::string purpose = doing("unpause", id);
    if (const auto place = place_of(id, purpose, reply))
        act(*place, "Resume", task_request(place->identifier.id), purpose, std::move(reply));
}

void ContainerdClient::Control::kill(const std::string& id, int signal, Done reply) {
    const std::string purpose = doing("kill", id);
    if (const auto why = why_no_signal(signal))
        return owner_.session_.refuse(Kind::invalid, purpose, *why, std::move(reply));
    if (const auto place = place_of(id, purpose, reply))
        act(*place, "Kill", kill_request(place->identifier.id, signal), purpose, std::move(reply));
}

void ContainerdClient::Control::stop(const std::string& id, std::chrono::seconds timeout, Done reply) {
    const std::string purpose = doing("stop", id);
    if (const auto why = why_no_timeout(timeout))
        return owner_.session_.refuse(Kind::invalid, purpose, *why, std::move(reply));
    if (const auto place = place_of(id, purpose, reply)) {
        std::make_shared<Stopping>(place->session, place->identifier, timeout, std::move(reply))->start();
    }
}

void ContainerdClient::Control::act(const Place& place, const char* method, std::string message,
                                    const std::string& purpose, Done reply) {
    const auto deadline = place.session.options().control_deadline;
    const Identifier& of = place.identifier;
    // What is not found may be the container or a task of it: a second look tells.
    auto second_look =
        request_to("/containerd.services.containers.v1.Containers/Get", purpose, container_request(of.id),
                   of.name_space, place.session.options().inspect_deadline);
    place.session.call(
        request_to("/containerd.services.tasks.v1.Tasks/" + std::string(method), purpose, std::move(message),
                   of.name_space, deadline),
        [&session = place.session, second_look, call = std::move(reply)](const grpc::Answer& answer) {
            if (answer) return call(std::nullopt);
            const EngineError error = control_error(answer);
            if (error.kind != Kind::not_found) return call(error);
            session.call(second_look, [error, call](const grpc::Answer& container) {
                EngineError told = error;
                if (container) told.kind = Kind::not_alive;
                call(std::move(told));
            });
        });
}

void ContainerdClient::Control::inspect_json(const std::string& id, TextReply reply) {
    const std::string purpose = doing("inspect", id);
    const auto place = place_of(id, purpose, reply);
    if (!place) return;
    const auto ask = [&place, &purpose](const char* method, std::string message) {
        return request_to("/containerd.services." + std::string(method), purpose, std::move(message),
                          place->identifier.name_space, place->session.options().inspect_deadline);
    };
    const std::string& own_id = place->identifier.id;
    auto for_task = ask("tasks.v1.Tasks/Get", task_request(own_id));
    const auto give = [own_id, purpose, endpoint = owner_.endpoint_, call = reply](const grpc::Answer& record,
                                                                                   const grpc::Answer& task) {
        // A container need not have a task.
        if (!task && task.error.kind != Kind::not_found) return call(task.error);
        const auto text =
            inspection_json(own_id, record.message, task ? std::optional(task.message) : std::nullopt);
        if (!text) return call(make_error(Kind::protocol, purpose, endpoint, "the answer makes no sense"));
        call(answerable(*text, purpose, endpoint));
    };
    place->session.call(
        ask("containers.v1.Containers/Get", container_request(own_id)),
        [&session = place->session, for_task, give, call = std::move(reply)](const grpc::Answer& record) {
            if (!record) return call(record.error);
            session.call(for_task, [record, give](const grpc::Answer& task) { give(record, task); });
        });
}

}  // namespace shorewatch::containerd
