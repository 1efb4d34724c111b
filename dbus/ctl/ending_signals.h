// SIGINT and SIGTERM as what ends a loop, and with it a command that would go on for ever.
#pragma once

#include <functional>

#include "engines/support/event_loop.h"

namespace shorewatch::ctl {

class EndingSignals {
  public:
    // While this lives, each of them stops loop, or calls handler instead. They stay blocked after it.
    explicit EndingSignals(EventLoop& loop);
    EndingSignals(EventLoop& loop, const std::function<void()>& handler);

    EndingSignals(const EndingSignals&) = delete;
    EndingSignals& operator=(const EndingSignals&) = delete;
    ~EndingSignals() = default;

    // Has one come? It may wait for its turn in the loop still: Ctrl-C ends ssh too, and with it a remote
    // bus.
    [[nodiscard]] bool came() const;

  private:
    bool handled_ = false;
    EventSource interrupted_;
    EventSource terminated_;
};

}  // namespace shorewatch::ctl
