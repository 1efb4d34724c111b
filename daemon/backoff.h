// How long to wait before the next attempt: exponential, jittered, so that many daemons don't knock in step.
#pragma once

#include <algorithm>
#include <random>

#include "engines/support/event_loop.h"

namespace shorewatch {

class Backoff {
  public:
    Backoff(Clock::duration first, Clock::duration longest)
        : first_(first), longest_(longest), next_(first) {}

    // The first wait is `first` or a little more, each later one twice that, up to `longest`.
    [[nodiscard]] Clock::duration next() {
        const Clock::duration wait = next_;
        next_ = std::min(next_ * 2, longest_);
        std::uniform_real_distribution<double> jitter(1.0, 1.25);
        return std::min(std::chrono::duration_cast<Clock::duration>(wait * jitter(random_)), longest_);
    }

    void reset() noexcept { next_ = first_; }
    // For once, begin with a shorter wait.
    void reset(Clock::duration first) noexcept { next_ = std::min(first, first_); }

  private:
    Clock::duration first_;
    Clock::duration longest_;
    Clock::duration next_;
    std::minstd_rand random_{std::random_device{}()};
};

}  // namespace shorewatch
