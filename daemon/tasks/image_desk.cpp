#include "daemon/tasks/image_desk.h"

#include <utility>

namespace shorewatch {

namespace {

using Kind = EngineError::Kind;

}  // namespace

ImageDesk::~ImageDesk() {
    try {
        for (const auto& [ticket, reply] : std::exchange(asking_, {}))
            reply(EngineError{Kind::unreachable, "cannot list images: the task engine has ended"});
    } catch (...) {
        // Out of memory: they stay without an answer.
    }
}

void ImageDesk::list(Reply reply) {
    if (under_way_ >= most_at_a_time) {
        return refuse(std::move(reply), {Kind::busy, "cannot list images: " + std::to_string(under_way_) +
                                                         " lists of them are under way already; try again"});
    }
    ++under_way_;
    calls_.list_images([this, ticket = take(std::move(reply))](Images images) {
        --under_way_;
        answer(ticket, std::move(images));
    });
}

void ImageDesk::refuse(Reply reply, EngineError error) {
    surroundings_.post(
        [this, alive = std::weak_ptr(alive_), ticket = take(std::move(reply)), error = std::move(error)] {
            if (!alive.expired()) answer(ticket, error);
        });
}

ImageDesk::Ticket ImageDesk::take(Reply reply) {
    asking_.emplace(++last_, std::move(reply));
    return last_;
}

void ImageDesk::answer(Ticket ticket, Images images) {
    const auto answered = asking_.extract(ticket);
    if (!answered.empty()) answered.mapped()(std::move(images));
}

}  // namespace shorewatch
