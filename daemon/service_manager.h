// What systemd is told: readiness, reloads, a line of status, and the watchdog's food. All of it does nothing
// where no service manager listens.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "engines/support/event_loop.h"

namespace shorewatch::service_manager {

void ready();
// The line that systemctl status shows.
void status(const std::string& status);
void stopping();

// Feeds the watchdog (WatchdogSec=) while is_turning() says that all threads turn. Runs on the main loop, so
// that a main loop that hangs starves it too.
class Watchdog {
  public:
    Watchdog(EventLoop& loop, std::function<bool()> is_turning);

  private:
    void feed();

    std::function<bool()> is_turning_;
    Clock::duration interval_{};  // zero: no watchdog is wanted
    std::optional<Timer> timer_;
};

}  // namespace shorewatch::service_manager
