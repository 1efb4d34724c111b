// A bus connection on an event loop, so that signals of the process, output and bus are served by one thread.
#pragma once

#include <string_view>

#include "dbus/compat/sdbus.h"
#include "dbus/ctl/ending_signals.h"
#include "dbus/ctl/exit_code.h"
#include "engines/support/event_loop.h"

namespace shorewatch::ctl {

class BusLoop {
  public:
    // Serves connection while it lives. The loop's run() throws sdbus::Error when the connection is gone.
    BusLoop(EventLoop& loop, sdbus::IConnection& connection);
    ~BusLoop() = default;
    BusLoop(const BusLoop&) = delete;
    BusLoop& operator=(const BusLoop&) = delete;

  private:
    void prepare();
    void process();

    sdbus::IConnection& connection_;
    EventSource readable_;
    EventSource before_wait_;
    Timer due_;
};

// Serves connection until loop is stopped. One that breaks is a CommandError, "cannot {doing}: …", unless a
// signal that is to end the loop has come first.
void serve(EventLoop& loop, sdbus::IConnection& connection, const EndingSignals& ending,
           std::string_view doing, BusKind bus);

}  // namespace shorewatch::ctl
