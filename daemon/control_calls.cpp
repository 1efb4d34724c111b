#include "daemon/control_calls.h"

#include <utility>

namespace shorewatch {

ControlReply ControlCalls::await(WatcherNumber watcher, ControlReply reply) {
    const std::uint64_t number = inside_->next++;
    inside_->pending.emplace(number, Pending{watcher, std::move(reply)});
    return answer_of(number);
}

ControlReply ControlCalls::answer_of(std::uint64_t number) const {
    return [&loop = loop_, weak = std::weak_ptr(inside_), number](Result<std::string> answer) {
        loop.post([weak, number, answer = std::move(answer)] {
            const auto inside = weak.lock();
            if (!inside) return;
            const auto ended = inside->pending.extract(number);
            if (!ended.empty()) ended.mapped().reply(answer);
        });
    };
}

void ControlCalls::lose(WatcherNumber watcher, const std::string& why) {
    for (const auto& [number, pending] : inside_->pending) {
        if (pending.watcher == watcher) answer_of(number)(EngineError{EngineError::Kind::unreachable, why});
    }
}

}  // namespace shorewatch
