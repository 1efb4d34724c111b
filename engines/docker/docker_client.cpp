#include "engines/docker/docker_client.h"

#include <stdexcept>
#include <utility>

#include "engines/docker/docker_decode.h"
#include "engines/docker/docker_session.h"
#include "engines/http/http_error.h"
#include "engines/http/json.h"
#include "engines/support/log.h"

namespace shorewatch::docker {

namespace {

using Kind = EngineError::Kind;

constexpr std::string_view listing = "list containers";

std::string inspecting(const std::string& id) {
    // As docker shows it; enough to be found, and a line that can be read.
    return "inspect container " + id.substr(0, 12);
}

Result<std::vector<ContainerPtr>> decoded_list(const Endpoint& endpoint, Result<http::Response> result) {
    if (!result) return result.error();
    http::Response& response = result.value();
    if (response.head.status != 200) {
        EngineError error = http::status_error(listing, endpoint, response.head.status, response.body);
        error.kind = Kind::engine;  // 404 would mean the call itself here
        return error;
    }
    try {
        ContainerList list = decode_list(std::move(response.body));
        if (list.skipped > 0) {
            log::debug("left out of the list of " + endpoint.url() + ": " + std::to_string(list.skipped) +
                       " entries without a usable id");
        }
        return std::move(list.containers);
    } catch (const json::Malformed& malformed) {
        return http::make_error(Kind::protocol, listing, endpoint, malformed.what());
    }
}

Result<Inspection> decoded_inspection(const Endpoint& endpoint, const std::string& id,
                                      Result<http::Response> result) {
    if (!result) return result.error();
    http::Response& response = result.value();
    const std::string purpose = inspecting(id);
    if (response.head.status != 200) {
        return http::status_error(purpose, endpoint, response.head.status, response.body);
    }
    try {
        Inspection inspection = decode_inspection(std::move(response.body));
        // dockerd takes a name for an id: somebody may have named a container like one that is gone.
        if (inspection.container->id == id) return inspection;
        return http::make_error(Kind::not_found, purpose, endpoint, "another container has this as its name");
    } catch (const json::Malformed& malformed) {
        return http::make_error(Kind::protocol, purpose, endpoint, malformed.what());
    }
}

}  // namespace

DockerClient::DockerClient(EventLoop& loop, Endpoint endpoint, const DockerOptions& options)
    : loop_(loop), endpoint_(std::move(endpoint)), options_(options), refusals_(std::make_shared<bool>()) {}

DockerClient::~DockerClient() {
    close();
}

bool DockerClient::is_open() const noexcept {
    return session_ && session_->is_open();
}

void DockerClient::lifecycle_events(std::optional<RealTime> since, LifecycleObserver& observer) {
    if (session_) throw std::logic_error("an event stream of " + api() + " is open already");
    session_ = std::make_shared<Session>(*this, since, observer);
    session_->start();
}

void DockerClient::close() {
    refusals_ = std::make_shared<bool>();
    if (const auto session = std::exchange(session_, nullptr)) session->end();
}

void DockerClient::refuse(std::string_view purpose, std::function<void(EngineError)> reply) {
    loop_.post(
        [alive = std::weak_ptr(refusals_), call = std::move(reply),
         error = http::make_error(Kind::unreachable, purpose, endpoint_, "there is no connection to it")] {
            if (!alive.expired()) call(error);
        });
}

void DockerClient::list(ListReply reply) {
    if (!is_open()) return refuse(listing, std::move(reply));
    http::Request request;
    request.purpose = listing;
    request.deadline = options_.list_deadline;
    request.body_limit = options_.list_limit;
    session_->get("/containers/json", std::move(request),
                  [endpoint = endpoint_, call = std::move(reply)](Result<http::Response> result) {
                      call(decoded_list(endpoint, std::move(result)));
                  });
}

void DockerClient::inspect(const std::string& id, InspectReply reply) {
    const std::string purpose = inspecting(id);
    if (!is_open()) return refuse(purpose, std::move(reply));
    http::Request request;
    request.purpose = purpose;
    request.deadline = options_.inspect_deadline;
    request.body_limit = options_.inspect_limit;
    session_->get("/containers/" + http::url_encoded(id) + "/json", std::move(request),
                  [endpoint = endpoint_, id, call = std::move(reply)](Result<http::Response> result) {
                      call(decoded_inspection(endpoint, id, std::move(result)));
                  });
}

}  // namespace shorewatch::docker
