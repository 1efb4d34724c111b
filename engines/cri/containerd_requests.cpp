#include "engines/cri/containerd_requests.h"

#include <utility>

namespace shorewatch::cri {

namespace {

// Longer than it has been seen to take; after that, what containerd knows has to do.
constexpr std::chrono::milliseconds longest_delay{1000};

// Made by way of the runtime interface, and yet unknown to it?
bool is_too_new(const Container& told, const Found& found) {
    const std::string id = own_id(told.id);
    return told.labels->find("io.cri-containerd.kind") != nullptr && !found.containers.contains(id) &&
           !found.pods.contains(id);
}

// What was made in this namespace past the runtime interface is shown with what containerd knows of it.
ContainerPtr described(const ContainerPtr& told, const Found& found) {
    auto container = std::make_shared<Container>(*told);
    container->id = own_id(told->id);
    container->name_space.clear();
    if (const std::string* name_space = told->labels->find("io.kubernetes.pod.namespace"))
        container->name_space = *name_space;
    static_cast<void>(found.describe(container->id, *container));
    return container;
}

}  // namespace

void CriClient::Listing::start() {
    const auto self = shared_from_this();
    std::make_shared<Lookup>(session_, "", "list containers", [self](Result<Found> found) {
        if (!found) return self->reply_.give(found.error());
        self->found_ = std::move(found.value());
        self->finish_one();
    })->start();
    session_.containerd()->list([self](Result<std::vector<ContainerPtr>> alive) {
        if (!alive) return self->reply_.give(alive.error());
        self->alive_ = std::move(alive.value());
        self->finish_one();
    });
}

void CriClient::Listing::finish_one() {
    if (!found_ || !alive_ || !reply_) return;
    for (ContainerPtr& container : *alive_) {
        const bool too_new = is_too_new(*container, *found_);
        container = described(container, *found_);
        // In outline: to be inspected.
        if (too_new) container = container->without_process();
    }
    reply_.give(std::move(*alive_));
}

void CriClient::Looking::start() {
    ask_who();
    session_.containerd()->inspect(containerd_id(id_),
                                   [self = shared_from_this()](Result<Inspection> inspection) {
                                       if (!inspection) return self->reply_.give(inspection.error());
                                       self->inspection_ = std::move(inspection.value());
                                       self->finish_one();
                                   });
}

void CriClient::Looking::ask_who() {
    // Whether the session has had it until now or not, the call has it from here on.
    const auto self = shared_from_this();
    session_.release(self);
    std::make_shared<Lookup>(session_, id_, "inspect container " + id_, [self](Result<Found> found) {
        if (!found) return self->reply_.give(found.error());
        self->found_ = std::move(found.value());
        self->finish_one();
    })->start();
}

void CriClient::Looking::finish_one() {
    if (!found_ || !inspection_ || !reply_) return;
    if (delay_ <= longest_delay && is_too_new(*inspection_->container, *found_)) {
        found_.reset();
        session_.hold(shared_from_this());
        again_.arm_after(delay_);
        delay_ *= 2;
        return;
    }
    inspection_->container = described(inspection_->container, *found_);
    reply_.give(std::move(*inspection_));
}

}  // namespace shorewatch::cri
