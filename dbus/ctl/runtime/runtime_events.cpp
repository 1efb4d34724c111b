#include "dbus/ctl/runtime/runtime_events.h"

#include <utility>

#include <fmt/format.h>

#include "dbus/ctl/bus_client.h"
#include "dbus/ctl/runtime/runtime_client.h"

namespace shorewatch::ctl {

namespace {

std::string event_rule(const std::string& path) {
    return fmt::format("type='signal',path='{}',interface='{}',member='Event'", path, runtime_interface);
}

// False when a message is not what it should be.
template <typename... Values>
bool take(sdbus::Message& message, Values&... values) {
    try {
        (message >> ... >> values);
        return true;
    } catch (const sdbus::Error&) {
        return false;
    }
}

}  // namespace

RuntimeEvents::RuntimeEvents(sdbus::IConnection& connection, const std::string& path, Handlers handlers)
    : on_event_(std::move(handlers.on_event)),
      owner_(connection, std::move(handlers.on_return)),
      match_(bus::add_match(connection, event_rule(path), [this](sdbus::Message& message) {
          RuntimeEvent event;
          if (owner_.sent(message) &&
              take(message, event.container, event.type, event.process, event.sequence, event.info))
              on_event_(event);
      })) {}

RuntimeEvents::~RuntimeEvents() = default;

}  // namespace shorewatch::ctl
