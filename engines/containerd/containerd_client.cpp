#include "engines/containerd/containerd_client.h"

#include <utility>

#include "engines/containerd/containerd_control.h"
#include "engines/containerd/containerd_inspect.h"
#include "engines/containerd/containerd_list.h"
#include "engines/containerd/containerd_session.h"
#include "engines/containerd/runtime/containerd_runtime.h"

namespace shorewatch::containerd {

ContainerdClient::ContainerdClient(EventLoop& loop, Endpoint endpoint, ContainerdOptions options)
    : loop_(loop),
      endpoint_(std::move(endpoint)),
      options_(std::move(options)),
      namespaces_(options_.namespaces, options_.kubernetes, options_.runtime),
      session_(loop, endpoint_),
      control_(std::make_unique<Control>(*this)),
      runtime_(options_.runtime ? std::make_unique<Runtime>(*this) : nullptr) {}

ContainerdClient::~ContainerdClient() = default;

EngineControl& ContainerdClient::control() {
    return *control_;
}

EngineRuntime* ContainerdClient::runtime() {
    return runtime_.get();
}

void ContainerdClient::lifecycle_events(std::optional<RealTime> /*since*/, LifecycleObserver& observer) {
    session_.begin(std::make_shared<Session>(*this, observer));
}

void ContainerdClient::close() {
    session_.end();
}

void ContainerdClient::list(ListReply reply) {
    Session* session = session_.open();
    if (session == nullptr) return session_.refuse_without_session("list containers", std::move(reply));
    std::make_shared<Listing>(*session, std::move(reply))->start();
}

void ContainerdClient::inspect(const std::string& id, InspectReply reply) {
    const std::string purpose = "inspect container " + id;
    Session* session = session_.open();
    if (session == nullptr) return session_.refuse_without_session(purpose, std::move(reply));
    auto identifier = Identifier::parse(id);
    if (!identifier || !namespaces_.watches(identifier->name_space)) {
        return session_.refuse(
            EngineError::Kind::not_found, purpose,
            "there is no such container; expected NAMESPACE/ID of a namespace that is watched",
            std::move(reply));
    }
    std::make_shared<Looking>(*session, std::move(*identifier), std::move(reply))->start();
}

}  // namespace shorewatch::containerd
