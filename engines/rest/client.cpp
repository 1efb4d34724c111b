#include "engines/rest/client.h"

#include <utility>

#include "engines/http/http_error.h"
#include "engines/http/json.h"
#include "engines/rest/control.h"
#include "engines/rest/deployment.h"
#include "engines/rest/session.h"
#include "engines/support/log.h"

namespace shorewatch::rest {

namespace {

using Kind = EngineError::Kind;

constexpr std::string_view listing = "list containers";

std::string inspecting(const std::string& id) {
    return doing("inspect", id);
}

// A container with its pid as it is here; without a process, if that has gone since the engine looked.
ContainerPtr with_our_pid(const ContainerPtr& container, const PidNamespace& pids) {
    if (pids.is_ours() || container->pid == 0) return container;
    const std::uint32_t pid = pids.to_ours(container->pid);
    return pid != 0 ? container->with_pid(pid) : container->without_process();
}

}  // namespace

Client::Client(EventLoop& loop, Endpoint endpoint, std::unique_ptr<Dialect> dialect, const Options& options)
    : loop_(loop),
      endpoint_(std::move(endpoint)),
      dialect_(std::move(dialect)),
      options_(options),
      session_(loop, endpoint_),
      control_(std::make_unique<Control>(*this)),
      deployment_(std::make_unique<Deployment>(*this)) {}

Client::~Client() = default;

EngineControl& Client::control() {
    return *control_;
}

EngineDeployment* Client::deployment() {
    return deployment_.get();
}

void Client::lifecycle_events(std::optional<RealTime> since, LifecycleObserver& observer) {
    session_.begin(std::make_shared<Session>(*this, since, observer));
}

void Client::close() {
    session_.end();
}

void Client::list(ListReply reply) {
    Session* session = session_.open();
    if (session == nullptr) return session_.refuse_without_session(listing, std::move(reply));
    http::Request request;
    request.purpose = listing;
    request.deadline = options_.list_deadline;
    request.body_limit = options_.list_limit;
    session->get(dialect_->list_path(), std::move(request),
                 [this, call = std::move(reply)](Result<http::Response> result) {
                     call(decoded_list(std::move(result)));
                 });
}

void Client::inspect(const std::string& id, InspectReply reply) {
    const std::string purpose = inspecting(id);
    Session* session = session_.open();
    if (session == nullptr) return session_.refuse_without_session(purpose, std::move(reply));
    http::Request request;
    request.purpose = purpose;
    request.deadline = options_.inspect_deadline;
    request.body_limit = options_.inspect_limit;
    session->get(dialect_->container_path(id) + "/json", std::move(request),
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
    session_.open()->get(path, std::move(request),
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
        return http::status_error(listing, endpoint_, response.head.status, response.body).of_no_container();
    }
    try {
        ContainerList list = dialect_->decode_list(std::move(response.body));
        if (list.skipped > 0) {
            log::debug("left out of the list of " + endpoint_.url() + ": " + std::to_string(list.skipped) +
                       " entries without a usable id");
        }
        for (ContainerPtr& container : list.containers)
            container = with_our_pid(container, session_.open()->pids());
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
        if (inspection.container->id == id) {
            const bool has_pid = inspection.container->pid != 0;
            inspection.container = with_our_pid(inspection.container, session_.open()->pids());
            inspection.alive = inspection.alive && (!has_pid || inspection.container->pid != 0);
            return inspection;
        }
        return http::make_error(Kind::not_found, purpose, endpoint_,
                                "another container has this as its name");
    } catch (const json::Malformed& malformed) {
        return http::make_error(Kind::protocol, purpose, endpoint_, malformed.what());
    }
}

}  // namespace shorewatch::rest
