#include "engines/cri/cri_client.h"

#include <stdexcept>
#include <utility>

#include "engines/cri/containerd_requests.h"
#include "engines/cri/cri_session.h"
#include "engines/cri/crio_requests.h"
#include "engines/error_text.h"

namespace shorewatch::cri {

namespace {

using Kind = EngineError::Kind;

constexpr std::string_view no_connection = "there is no connection to it";

}  // namespace

CriClient::CriClient(EventLoop& loop, Endpoint endpoint, MakeContainerd make_containerd,
                     const CriOptions& options)
    : loop_(loop),
      endpoint_(std::move(endpoint)),
      make_containerd_(std::move(make_containerd)),
      options_(options),
      refusals_(std::make_shared<bool>()) {}

CriClient::~CriClient() {
    close();
}

bool CriClient::is_open() const noexcept {
    return session_ && session_->is_open();
}

void CriClient::lifecycle_events(std::optional<RealTime> /*since*/, LifecycleObserver& observer) {
    if (session_) throw std::logic_error("an event stream of " + api() + " is open already");
    session_ = std::make_shared<Session>(*this, observer);
    session_->start();
}

void CriClient::close() {
    refusals_ = std::make_shared<bool>();
    if (const auto session = std::exchange(session_, nullptr)) session->end();
}

void CriClient::refuse(std::function<void()> reply) {
    loop_.post([alive = std::weak_ptr(refusals_), reply = std::move(reply)] {
        if (!alive.expired()) reply();
    });
}

void CriClient::list(ListReply reply) {
    if (!is_open()) {
        return refuse([reply = std::move(reply),
                       error = make_error(Kind::unreachable, "list containers", endpoint_, no_connection)] {
            reply(error);
        });
    }
    if (session_->containerd() != nullptr)
        return std::make_shared<Listing>(*session_, std::move(reply))->start();
    std::make_shared<CrioListing>(*session_, std::move(reply))->start();
}

void CriClient::inspect(const std::string& id, InspectReply reply) {
    if (!is_open() || !is_id(id)) {
        const bool open = is_open();
        return refuse([reply = std::move(reply),
                       error = make_error(
                           open ? Kind::not_found : Kind::unreachable, "inspect container " + id, endpoint_,
                           open ? "there is no such container" : no_connection)] { reply(error); });
    }
    if (session_->containerd() != nullptr)
        return std::make_shared<Looking>(*session_, id, std::move(reply))->start();
    std::make_shared<CrioLooking>(*session_, id, std::move(reply))->start();
}

}  // namespace shorewatch::cri
