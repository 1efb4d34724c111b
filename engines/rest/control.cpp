#include "engines/rest/control.h"

#include <array>
#include <utility>

#include "engines/error_words.h"
#include "engines/http/http_error.h"
#include "engines/http/json.h"
#include "engines/rest/session.h"

namespace shorewatch::rest {

namespace {

using Kind = EngineError::Kind;

// Of dockerd 20.10 and Podman 4.3, whose later ones say the same. The first that is found counts. Podman's
// states are those of a container that was never started, has ended, or is about to be cleaned up after.
constexpr std::array<ErrorWords, 14> known_words{{{"is already paused", Kind::conflict},
                                                  {"is not paused", Kind::conflict},
                                                  {"running or paused", Kind::conflict},
                                                  {"in state paused", Kind::conflict},
                                                  {"is paused", Kind::conflict},
                                                  {"is restarting", Kind::conflict},
                                                  {"is not running", Kind::not_alive},
                                                  {"in state exited", Kind::not_alive},
                                                  {"in state stopped", Kind::not_alive},
                                                  {"in state stopping", Kind::conflict},
                                                  {"in state created", Kind::not_alive},
                                                  {"in state configured", Kind::not_alive},
                                                  {"in state initialized", Kind::not_alive},
                                                  {"container state improper", Kind::conflict}}};

Kind kind_of(int status, const EngineError& error) {
    if (error.kind == Kind::not_found) return error.kind;
    if (const auto kind = kind_in(error.message, known_words)) return *kind;
    constexpr int http_conflict = 409;
    return status == http_conflict ? Kind::conflict : error.kind;
}

}  // namespace

std::optional<EngineError> control_error(std::string_view purpose, const Endpoint& endpoint, int status,
                                         std::string_view body) {
    constexpr int no_content = 204;
    constexpr int not_modified = 304;
    if (status == 200 || status == no_content) return std::nullopt;
    if (status == not_modified) {
        return http::make_error(Kind::not_alive, purpose, endpoint, "it is not running");
    }
    EngineError error = http::status_error(purpose, endpoint, status, body);
    error.kind = kind_of(status, error);
    return error;
}

void Client::Control::pause(const std::string& id, Done reply) {
    act(id, "pause", "", owner_.options_.control_deadline, std::move(reply));
}

void Client::Control::unpause(const std::string& id, Done reply) {
    act(id, "unpause", "", owner_.options_.control_deadline, std::move(reply));
}

void Client::Control::stop(const std::string& id, std::chrono::seconds timeout, Done reply) {
    if (const auto why = why_no_timeout(timeout))
        return owner_.session_.refuse(Kind::invalid, doing("stop", id), *why, std::move(reply));
    const std::string query =
        "?" + std::string(owner_.dialect_->stop_parameter()) + "=" + std::to_string(timeout.count());
    act(id, "stop", query, timeout + owner_.options_.stop_margin, std::move(reply));
}

void Client::Control::kill(const std::string& id, int signal, Done reply) {
    if (const auto why = why_no_signal(signal))
        return owner_.session_.refuse(Kind::invalid, doing("kill", id), *why, std::move(reply));
    act(id, "kill", "?signal=" + std::to_string(signal), owner_.options_.control_deadline, std::move(reply));
}

void Client::Control::act(const std::string& id, std::string_view action, const std::string& query,
                          std::chrono::milliseconds deadline, Done reply) {
    const std::string purpose = doing(action, id);
    Session* session = owner_.session_.open();
    if (session == nullptr) return owner_.session_.refuse_without_session(purpose, std::move(reply));
    http::Request request;
    request.method = http::Method::post;
    request.purpose = purpose;
    request.deadline = deadline;
    session->control(
        owner_.dialect_->container_path(id) + "/" + std::string(action) + query, std::move(request),
        [purpose, endpoint = owner_.endpoint_, call = std::move(reply)](Result<http::Response> result) {
            if (!result) return call(result.error());
            const http::Response& response = result.value();
            call(control_error(purpose, endpoint, response.head.status, response.body));
        });
}

void Client::Control::inspect_json(const std::string& id, TextReply reply) {
    const std::string purpose = doing("inspect", id);
    Session* session = owner_.session_.open();
    if (session == nullptr) return owner_.session_.refuse_without_session(purpose, std::move(reply));
    http::Request request;
    request.purpose = purpose;
    request.deadline = owner_.options_.inspect_deadline;
    request.body_limit = longest_inspection;
    session->control(owner_.dialect_->container_path(id) + "/json", std::move(request),
                     [this, id, call = std::move(reply)](Result<http::Response> result) {
                         call(checked(id, std::move(result)));
                     });
}

// It is decoded to see that it is what was asked for.
Result<std::string> Client::Control::checked(const std::string& id, Result<http::Response> result) {
    if (!result) return result.error();
    const std::string text = result.value().body;
    const auto inspection = owner_.decoded_inspection(id, std::move(result));
    if (!inspection) return inspection.error();
    return answerable(text, doing("inspect", id), owner_.endpoint_);
}

}  // namespace shorewatch::rest
