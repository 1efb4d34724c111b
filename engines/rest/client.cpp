#include "engines/rest/client.h"

#include <stdexcept>
#include <utility>

#include "engines/http/http_error.h"
#include "engines/http/json.h"
#include "engines/rest/session.h"
#include "engines/support/log.h"

namespace shorewatch::rest {

namespace {

using Kind = EngineError::Kind;

constexpr std::string_view listing = "list containers";

std::string inspecting(const std::string& id) {
    // As docker and podman show it; enough to be found, and a line that can be read.
    return "inspect container " + id.substr(0, 12);
}

}  // namespace

Client::Client(EventLoop& loop, Endpoint endpoint, std::unique_ptr<Dialect> dialect, const Options& options)
    : loop_(loop),
      endpoint_(std::move(endpoint)),
      dialect_(std::move(dialect)),
      options_(options),
      refusals_(std::make_shared<bool>()) {}

Client::~Client() {
    Client::close();
}

bool Client::is_open() const noexcept {
    return session_ && session_->is_open();
}

void Client::lifecycle_events(std::optional<RealTime> since, LifecycleObserver& observer) {
    if (session_) throw std::logic_error("an event stream of " + api() + " is open already");
    session_ = std::make_shared<Session>(*this, since, observer);
    session_->start();
}

void Client::close() {
    refusals_ = std::make_shared<bool>();
    if (const auto session = std::exchange(session_, nullptr)) session->end();
}

void Client::refuse(std::string_view purpose, std::function<void(EngineError)> reply) {
    loop_.post(
        [alive = std::weak_ptr(refusals_), call = std::move(reply),
         error = http::make_error(Kind::unreachable, purpose, endpoint_, "there is no connection to it")] {
            if (!alive.expired()) call(error);
        });
}

void Client::list(ListReply reply) {
    if (!is_open()) return refuse(listing, std::move(reply));
    http::Request request;
    request.purpose = listing;
    request.deadline = options_.list_deadline;
    request.body_limit = options_.list_limit;
    session_->get(dialect_->list_path(), std::move(request),
                  [this, call = std::move(reply)](Result<http::Response> result) {
                      call(decoded_list(std::move(result)));
                  });
}

void Client::inspect(const std::string& id, InspectReply reply) {
    const std::string purpose = inspecting(id);
    if (!is_open()) return refuse(purpose, std::move(reply));
    http::Request request;
    request.purpose = purpose;
    request.deadline = options_.inspect_deadline;
    request.body_limit = options_.inspect_limit;
    session_->get(dialect_->inspect_path(id), std::move(request),
                  [this, id, call = std::move(reply)](Result<http::Response> result) {
                      auto inspection = decoded_inspection(id, std::move(result));
                      const std::string more =
                          inspection ? dialect_->supplement_path(inspection.value()) : std::string{};
                      if (more.empty()) return call(std::move(inspection));
                      supplement(more, std::move(inspection.value()), call);
                  });
}

void Client::supplement(const std::string& path, Inspection inspection, InspectReply reply) {
    http::Request request;
    request.purpose = inspecting(inspection.container->id);
    request.deadline = options_.inspect_deadline;
    request.body_limit = options_.inspect_limit;
    session_->get(path, std::move(request),
                  [this, found = std::move(inspection),
                   call = std::move(reply)](Result<http::Response> result) mutable {
                      if (!result) return call(result.error());
                      take_supplement(found, std::move(result));
                      call(std::move(found));
                  });
}

// What is not to be had is left out: the container itself is known.
void Client::take_supplement(Inspection& inspection, Result<http::Response> result) {
    http::Response& response = result.value();
    std::optional<std::string> json;
    if (response.head.status == 200) json = std::move(response.body);
    try {
        dialect_->supplement(inspection, json);
    } catch (const json::Malformed& malformed) {
        log::debug(http::make_error(Kind::protocol, inspecting(inspection.container->id), endpoint_,
                                    malformed.what())
                       .message);
    }
}

Result<std::vector<ContainerPtr>> Client::decoded_list(Result<http::Response> result) {
    if (!result) return result.error();
    http::Response& response = result.value();
    if (response.head.status != 200) {
        EngineError error = http::status_error(listing, endpoint_, response.head.status, response.body);
        error.kind = Kind::engine;  // 404 would mean the call itself here
        return error;
    }
    try {
        ContainerList list = dialect_->decode_list(std::move(response.body));
        if (list.skipped > 0) {
            log::debug("left out of the list of " + endpoint_.url() + ": " + std::to_string(list.skipped) +
                       " entries without a usable id");
        }
        return std::move(list.containers);
    } catch (const json::Malformed& malformed) {
        return http::make_error(Kind::protocol, listing, endpoint_, malformed.what());
    }
}

Result<Inspection> Client::decoded_inspection(const std::string& id, Result<http::Response> result) {
    if (!result) return result.error();
    http::Response& response = result.value();
    const std::string purpose = inspecting(id);
    if (response.head.status != 200) {
        return http::status_error(purpose, endpoint_, response.head.status, response.body);
    }
    try {
        Inspection inspection = dialect_->decode_inspection(std::move(response.body));
        // Engines take a name for an id: somebody may have named a container like one that is gone.
        if (inspection.container->id == id) return inspection;
        return http::make_error(Kind::not_found, purpose, endpoint_,
                                "another container has this as its name");
    } catch (const json::Malformed& malformed) {
        return http::make_error(Kind::protocol, purpose, endpoint_, malformed.what());
    }
}

}  // namespace shorewatch::rest
