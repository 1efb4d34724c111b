#include "engines/containerd/containerd_client.h"

#include <stdexcept>
#include <utility>

#include "engines/containerd/containerd_inspect.h"
#include "engines/containerd/containerd_list.h"
#include "engines/containerd/containerd_session.h"
#include "engines/error_text.h"

namespace shorewatch::containerd {

namespace {

using Kind = EngineError::Kind;

constexpr std::string_view no_connection = "there is no connection to it";

}  // namespace

ContainerdClient::ContainerdClient(EventLoop& loop, Endpoint endpoint, ContainerdOptions options)
    : loop_(loop),
      endpoint_(std::move(endpoint)),
      options_(std::move(options)),
      namespaces_(options_.namespaces),
      refusals_(std::make_shared<bool>()) {}

ContainerdClient::~ContainerdClient() {
    close();
}

bool ContainerdClient::is_open() const noexcept {
    return session_ && session_->is_open();
}

void ContainerdClient::lifecycle_events(std::optional<RealTime> /*since*/, LifecycleObserver& observer) {
    if (session_) throw std::logic_error("an event stream of " + api() + " is open already");
    session_ = std::make_shared<Session>(*this, observer);
    session_->start();
}

void ContainerdClient::close() {
    refusals_ = std::make_shared<bool>();
    if (const auto session = std::exchange(session_, nullptr)) session->end();
}

void ContainerdClient::refuse(std::function<void()> reply) {
    loop_.post([alive = std::weak_ptr(refusals_), reply = std::move(reply)] {
        if (!alive.expired()) reply();
    });
}

void ContainerdClient::list(ListReply reply) {
    if (is_open()) return std::make_shared<Listing>(*session_, std::move(reply))->start();
    refuse([reply = std::move(reply), error = make_error(Kind::unreachable, "list containers", endpoint_,
                                                         no_connection)] { reply(error); });
}

void ContainerdClient::inspect(const std::string& id, InspectReply reply) {
    auto identifier = Identifier::parse(id);
    if (is_open() && identifier && namespaces_.watches(identifier->name_space)) {
        return std::make_shared<Looking>(*session_, std::move(*identifier), std::move(reply))->start();
    }
    EngineError error = make_error(Kind::unreachable, "inspect container " + id, endpoint_, no_connection);
    if (is_open()) {
        error =
            make_error(Kind::not_found, "inspect container " + id, endpoint_,
                       "there is no such container; expected NAMESPACE/ID of a namespace that is watched");
    }
    refuse([reply = std::move(reply), error] { reply(error); });
}

}  // namespace shorewatch::containerd
