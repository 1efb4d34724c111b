#include "daemon/service_manager.h"

#include <utility>

#include <systemd/sd-daemon.h>

namespace shorewatch::service_manager {

void ready() {
    sd_notify(0, "READY=1");
}

void status(const std::string& status) {
    sd_notify(0, ("STATUS=" + status).c_str());
}

void stopping() {
    sd_notify(0, "STOPPING=1");
}

Watchdog::Watchdog(EventLoop& loop, std::function<bool()> is_turning) : is_turning_(std::move(is_turning)) {
    std::uint64_t usec = 0;
    if (sd_watchdog_enabled(0, &usec) <= 0) return;
    // A third, so that one late answer of one watcher is not the end.
    interval_ = std::chrono::microseconds(usec) / 3;
    timer_.emplace(loop, [this] { feed(); });
    feed();
}

void Watchdog::feed() {
    if (is_turning_()) sd_notify(0, "WATCHDOG=1");
    timer_->arm_after(interval_);
}

}  // namespace shorewatch::service_manager
