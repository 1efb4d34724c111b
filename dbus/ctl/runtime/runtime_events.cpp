#include "dbus/ctl/runtime/runtime_events.h"

#include <utility>

#include <fmt/format.h>

#include "dbus/ctl/bus_client.h"
#include "dbus/ctl/runtime/runtime_client.h"

namespace shorewatch::ctl {

namespace {

constexpr const char* driver_name = "org.freedesktop.DBus";
constexpr const char* driver_path = "/org/freedesktop/DBus";

std::string owner_rule() {
    return fmt::format(
        "type='signal',sender='{0}',path='{1}',interface='{0}',member='NameOwnerChanged',arg0='{2}'",
        driver_name, driver_path, service_name);
}

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
    : handlers_(std::move(handlers)) {
    owner_match_ = bus::add_match(connection, owner_rule(), [this](sdbus::Message& message) {
        std::string name;
        std::string before;
        std::string after;
        if (bus::sender_of(message) == driver_name && take(message, name, before, after)) set_owner(after);
    });
    event_match_ = bus::add_match(connection, event_rule(path), [this](sdbus::Message& message) {
        RuntimeEvent event;
        if (owner_.empty() || bus::sender_of(message) != owner_) return;
        if (take(message, event.container, event.type, event.process, event.sequence, event.info))
            handlers_.on_event(event);
    });
    const auto driver =
        sdbus::createProxy(connection, bus::ServiceName(driver_name), sdbus::ObjectPath(driver_path));
    owner_ = std::get<0>(
        bus::call<std::string>(*driver, driver_name, "GetNameOwner", {}, std::string(service_name)));
}

RuntimeEvents::~RuntimeEvents() = default;

void RuntimeEvents::set_owner(const std::string& owner) {
    if (owner == std::exchange(owner_, owner) || owner.empty()) return;
    handlers_.on_return();
}

}  // namespace shorewatch::ctl
