#include "engines/cri/cri_client.h"

#include <utility>

#include "engines/cri/containerd_requests.h"
#include "engines/cri/cri_control.h"
#include "engines/cri/cri_session.h"
#include "engines/cri/crio_requests.h"

namespace shorewatch::cri {

CriClient::CriClient(EventLoop& loop, Endpoint endpoint, MakeContainerd make_containerd,
                     const CriOptions& options)
    : loop_(loop),
      endpoint_(std::move(endpoint)),
      make_containerd_(std::move(make_containerd)),
      options_(options),
      session_(loop, endpoint_),
      control_(std::make_unique<Control>(*this)) {}

CriClient::~CriClient() = default;

EngineControl& CriClient::control() {
    return *control_;
}

void CriClient::lifecycle_events(std::optional<RealTime> /*since*/, LifecycleObserver& observer) {
    session_.begin(std::make_shared<Session>(*this, observer));
}

void CriClient::close() {
    session_.end();
}

void CriClient::list(ListReply reply) {
    Session* session = session_.open();
    if (session == nullptr) return session_.refuse_without_session("list containers", std::move(reply));
    if (session->containerd() != nullptr)
        return std::make_shared<Listing>(*session, std::move(reply))->start();
    std::make_shared<CrioListing>(*session, std::move(reply))->start();
}

void CriClient::inspect(const std::string& id, InspectReply reply) {
    const std::string purpose = "inspect container " + id;
    Session* session = session_.open();
    if (session == nullptr) return session_.refuse_without_session(purpose, std::move(reply));
    if (!is_id(id)) {
        return session_.refuse(EngineError::Kind::not_found, purpose, "there is no such container",
                               std::move(reply));
    }
    if (session->containerd() != nullptr)
        return std::make_shared<Looking>(*session, id, std::move(reply))->start();
    std::make_shared<CrioLooking>(*session, id, std::move(reply))->start();
}

}  // namespace shorewatch::cri
