#include "dbus/ctl/ending_signals.h"

#include <csignal>
#include <ctime>

namespace shorewatch::ctl {

namespace {

sigset_t both() {
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGINT);
    sigaddset(&signals, SIGTERM);
    return signals;
}

}  // namespace

EndingSignals::EndingSignals(EventLoop& loop) : EndingSignals(loop, [&loop] { loop.stop(); }) {}

EndingSignals::EndingSignals(EventLoop& loop, const std::function<void()>& handler) {
    const sigset_t signals = both();
    pthread_sigmask(SIG_BLOCK, &signals, nullptr);
    const auto on_signal = [this, handler] {
        handled_ = true;
        handler();
    };
    interrupted_ = loop.on_signal(SIGINT, on_signal);
    terminated_ = loop.on_signal(SIGTERM, on_signal);
}

bool EndingSignals::came() const {
    if (handled_) return true;
    const sigset_t signals = both();
    const std::timespec at_once{};
    return sigtimedwait(&signals, nullptr, &at_once) > 0;
}

}  // namespace shorewatch::ctl
