// Between the callbacks of libraries, which no exception may cross, and a loop that ends with the first
// failure.
#pragma once

#include <exception>
#include <utility>

#include "engines/support/event_loop.h"

namespace shorewatch::ctl {

class LoopGuard {
  public:
    explicit LoopGuard(EventLoop& loop) : loop_(loop) {}
    LoopGuard(const LoopGuard&) = delete;
    LoopGuard& operator=(const LoopGuard&) = delete;
    ~LoopGuard() = default;

    // Runs call; an exception out of it stops the loop, and from then on nothing is run any more.
    template <typename Call>
    void operator()(const Call& call) noexcept {
        if (failure_) return;
        try {
            call();
        } catch (...) {
            failure_ = std::current_exception();
            loop_.stop();
        }
    }

    // After the loop has stopped: throws what stopped it, if that was a failure.
    void rethrow() const {
        if (failure_) std::rethrow_exception(failure_);
    }

  private:
    EventLoop& loop_;
    std::exception_ptr failure_;
};

}  // namespace shorewatch::ctl
