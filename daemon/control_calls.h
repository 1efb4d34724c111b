// The requests that the outside has made and waits for: each is answered on the main loop, once, whatever
// becomes of the watcher that it was handed to.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <unordered_map>

#include "daemon/change_queue.h"
#include "daemon/control_request.h"
#include "engines/support/event_loop.h"

namespace shorewatch {

// Belongs to the main thread. Those that wait when it is destroyed are not called any more.
class ControlCalls {
  public:
    // loop outlives this, and all that await() has returned.
    explicit ControlCalls(EventLoop& loop) : loop_(loop) {}

    // Has reply called from the loop with the first that is told, by what is returned or by lose(). What is
    // returned may be called, copied and destroyed by any thread, also after this is gone.
    [[nodiscard]] ControlReply await(WatcherNumber watcher, ControlReply reply);

    // That watcher tells nothing any more.
    void lose(WatcherNumber watcher, const std::string& why);

  private:
    struct Pending {
        WatcherNumber watcher;
        ControlReply reply;
    };
    // Held by the main thread only; others know of it.
    struct Inside {
        std::unordered_map<std::uint64_t, Pending> pending;
        std::uint64_t next = 0;
    };

    [[nodiscard]] ControlReply answer_of(std::uint64_t number) const;

    EventLoop& loop_;
    std::shared_ptr<Inside> inside_ = std::make_shared<Inside>();
};

}  // namespace shorewatch
