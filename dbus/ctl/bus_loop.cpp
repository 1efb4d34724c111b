#include "dbus/ctl/bus_loop.h"

#include <poll.h>
#include <sys/epoll.h>

namespace shorewatch::ctl {

namespace {

// Messages a turn, so that a flood of them does not keep the loop from everything else.
constexpr int most_at_once = 64;

static_assert(static_cast<int>(EPOLLIN) == POLLIN && static_cast<int>(EPOLLOUT) == POLLOUT,
              "poll's events are epoll's");

}  // namespace

BusLoop::BusLoop(EventLoop& loop, sdbus::IConnection& connection)
    : connection_(connection),
      readable_(loop.on_io(connection.getEventLoopPollData().fd, 0, [this](std::uint32_t) { process(); })),
      before_wait_(loop.before_wait([this] { prepare(); })),
      due_(loop, [this] { process(); }) {}

void BusLoop::prepare() {
    const auto poll = connection_.getEventLoopPollData();
    readable_.set_io_events(static_cast<std::uint32_t>(poll.events));
    if (const auto due = bus::due_time(poll)) {
        due_.arm_at(Clock::time_point(*due));
    } else {
        due_.disarm();
    }
}

void BusLoop::process() {
    for (int i = 0; i < most_at_once && bus::process_pending(connection_); ++i) {
    }
}

void serve(EventLoop& loop, sdbus::IConnection& connection, const EndingSignals& ending,
           std::string_view doing, BusKind bus) {
    const BusLoop bus_loop(loop, connection);
    try {
        loop.run();
    } catch (const sdbus::Error& error) {
        if (ending.came()) return;
        throw command_error(doing, error.getName(), error.getMessage(), bus);
    }
}

}  // namespace shorewatch::ctl
