#include "engines/cri/cri_control.h"

#include <memory>
#include <utility>

#include "engines/cri/inspection_json.h"
#include "engines/error_text.h"

namespace shorewatch::cri {

namespace {

using Kind = EngineError::Kind;

EngineError none_such(const std::string& purpose, const Endpoint& endpoint) {
    return make_error(Kind::not_found, purpose, endpoint, "there is no such container or sandbox");
}

}  // namespace

void CriClient::Control::pause(const std::string& id, Done reply) {
    refuse("pause", id, std::move(reply));
}

void CriClient::Control::unpause(const std::string& id, Done reply) {
    refuse("unpause", id, std::move(reply));
}

void CriClient::Control::kill(const std::string& id, int signal, Done reply) {
    const auto why = why_no_signal(signal);
    if (!why) return refuse("kill", id, std::move(reply));
    owner_.session_.refuse(Kind::invalid, doing("kill", id), *why, std::move(reply));
}

void CriClient::Control::refuse(const char* verb, const std::string& id, Done reply) {
    owner_.session_.refuse(Kind::not_supported, doing(verb, id),
                           "an engine of type \"cri\" has no call for that, since Kubernetes' runtime "
                           "interface has none: stop the container instead, or ask the runtime below, as "
                           "\"ctr --namespace k8s.io task\" does of containerd",
                           std::move(reply));
}

void CriClient::Control::find(const std::string& id, const std::string& purpose,
                              std::function<void(EngineError)> refused,
                              std::function<void(Session&, const Found&)> take) {
    Session* session = owner_.session_.open();
    if (session == nullptr) return owner_.session_.refuse_without_session(purpose, std::move(refused));
    if (!is_id(id)) {
        return owner_.session_.refuse(Kind::not_found, purpose, "there is no such container",
                                      std::move(refused));
    }
    std::make_shared<Lookup>(*session, id, purpose,
                             [session, no = std::move(refused), yes = std::move(take)](Result<Found> found) {
                                 found ? yes(*session, found.value()) : no(found.error());
                             })
        ->start();
}

void CriClient::Control::stop(const std::string& id, std::chrono::seconds timeout, Done reply) {
    const std::string purpose = doing("stop", id);
    if (const auto why = why_no_timeout(timeout))
        return owner_.session_.refuse(Kind::invalid, purpose, *why, std::move(reply));
    find(id, purpose, reply, [id, timeout, reply](Session& session, const Found& found) {
        stop(session, id, timeout, found, reply);
    });
}

void CriClient::Control::stop(Session& session, const std::string& id, std::chrono::seconds timeout,
                              const Found& found, Done reply) {
    const std::string purpose = doing("stop", id);
    const auto container = found.containers.find(id);
    const auto pod = found.pods.find(id);
    const bool is_container = container != found.containers.end();
    if (!is_container && pod == found.pods.end()) {
        if (session.containerd() == nullptr) return reply(none_such(purpose, session.endpoint()));
        return session.containerd()->control().stop(containerd_id(id), timeout, std::move(reply));
    }
    if (!(is_container ? container->second.running : pod->second.ready)) {
        return reply(make_error(Kind::not_alive, purpose, session.endpoint(), "it is not running"));
    }
    // A sandbox's containers are not given any time, by the interface's definition.
    session.call(is_container ? "StopContainer" : "StopPodSandbox", purpose,
                 is_container ? stop_container_request(id, timeout) : stop_sandbox_request(id),
                 timeout + session.options().stop_margin,
                 [call = std::move(reply)](const grpc::Answer& answer) {
                     answer ? call(std::nullopt) : call(answer.error);
                 });
}

void CriClient::Control::inspect_json(const std::string& id, TextReply reply) {
    find(id, doing("inspect", id), reply,
         [id, reply](Session& session, const Found& found) { inspect_json(session, id, found, reply); });
}

void CriClient::Control::inspect_json(Session& session, const std::string& id, const Found& found,
                                      TextReply reply) {
    const std::string purpose = doing("inspect", id);
    const bool is_container = found.containers.contains(id);
    if (!is_container && !found.pods.contains(id)) {
        if (session.containerd() == nullptr) return reply(none_such(purpose, session.endpoint()));
        return session.containerd()->control().inspect_json(containerd_id(id), std::move(reply));
    }
    session.call(is_container ? "ContainerStatus" : "PodSandboxStatus", purpose, verbose_status_request(id),
                 session.options().inspect_deadline,
                 [id, purpose, is_container, endpoint = session.endpoint(),
                  call = std::move(reply)](const grpc::Answer& answer) {
                     if (!answer) return call(answer.error);
                     const auto text = inspection_json(id, !is_container, answer.message);
                     call(text ? answerable(*text, purpose, endpoint)
                               : make_error(Kind::protocol, purpose, endpoint, "its status makes no sense"));
                 });
}

}  // namespace shorewatch::cri
