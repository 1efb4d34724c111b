// What happens to the containers of one engine's Runtime, as the daemon tells it.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "dbus/compat/sdbus_client.h"
#include "dbus/ctl/daemon_owner.h"
#include "dbus/ctl/properties.h"

namespace shorewatch::ctl {

struct RuntimeEvent {
    std::string container;
    std::string type;  // "start", "exit", …
    std::string process;
    std::uint64_t sequence = 0;
    Properties info;
};

class RuntimeEvents {
  public:
    // Both throw nothing.
    struct Handlers {
        std::function<void(const RuntimeEvent&)> on_event;
        std::function<void()> on_return;  // another daemon has taken over: events may have been missed
    };

    // Subscribed when this returns. path: of the engine. Throws sdbus::Error.
    RuntimeEvents(sdbus::IConnection& connection, const std::string& path, Handlers handlers);
    ~RuntimeEvents();
    RuntimeEvents(const RuntimeEvents&) = delete;
    RuntimeEvents& operator=(const RuntimeEvents&) = delete;

  private:
    std::function<void(const RuntimeEvent&)> on_event_;
    DaemonOwner owner_;
    bus::Match match_;
};

}  // namespace shorewatch::ctl
