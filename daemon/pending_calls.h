// The requests that the outside has made and waits for: each is answered on the main loop, once, whatever
// becomes of the watcher that it was handed to.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <unordered_map>
#include <utility>

#include "daemon/change_queue.h"
#include "engines/result.h"
#include "engines/support/event_loop.h"

namespace shorewatch {

// Belongs to the main thread. Those that wait when it is destroyed are not called any more.
template <typename Value>
class PendingCalls {
  public:
    using Reply = std::function<void(Result<Value>)>;

    // loop outlives this, and all that await() has returned.
    explicit PendingCalls(EventLoop& loop) : loop_(loop) {}

    // Has reply called from the loop with the first that is told, by what is returned or by lose(). What is
    // returned may be called, copied and destroyed by any thread, also after this is gone.
    [[nodiscard]] Reply await(WatcherNumber watcher, Reply reply) {
        const std::uint64_t number = inside_->next++;
        inside_->pending.emplace(number, Pending{watcher, std::move(reply)});
        return answer_of(number);
    }

    // That watcher tells nothing any more.
    void lose(WatcherNumber watcher, const std::string& why) {
        for (const auto& [number, pending] : inside_->pending) {
            if (pending.watcher == watcher)
                answer_of(number)(EngineError{EngineError::Kind::unreachable, why});
        }
    }

  private:
    struct Pending {
        WatcherNumber watcher;
        Reply reply;
    };
    // Held by the main thread only; others know of it.
    struct Inside {
        std::unordered_map<std::uint64_t, Pending> pending;
        std::uint64_t next = 0;
    };

    [[nodiscard]] Reply answer_of(std::uint64_t number) const {
        return [&loop = loop_, weak = std::weak_ptr(inside_), number](Result<Value> answer) {
            loop.post([weak, number, answer = std::move(answer)] {
                const auto inside = weak.lock();
                if (!inside) return;
                const auto ended = inside->pending.extract(number);
                if (!ended.empty()) ended.mapped().reply(answer);
            });
        };
    }

    EventLoop& loop_;
    std::shared_ptr<Inside> inside_ = std::make_shared<Inside>();
};

}  // namespace shorewatch
