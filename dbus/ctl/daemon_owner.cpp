#include "dbus/ctl/daemon_owner.h"

#include <tuple>
#include <utility>

#include <fmt/format.h>

#include "dbus/ctl/bus_client.h"

namespace shorewatch::ctl {

std::unique_ptr<sdbus::IProxy> bus_driver(sdbus::IConnection& connection) {
    return sdbus::createProxy(connection, bus::ServiceName(bus_driver_name),
                              sdbus::ObjectPath("/org/freedesktop/DBus"));
}

bus::Match match_owner(sdbus::IConnection& connection,
                       std::function<void(const std::string& owner)> on_owner) {
    const std::string rule = fmt::format(
        "type='signal',sender='{0}',path='/org/freedesktop/DBus',interface='{0}',member='NameOwnerChanged',"
        "arg0='{1}'",
        bus_driver_name, service_name);
    return bus::add_match(connection, rule, [on_owner = std::move(on_owner)](sdbus::Message& message) {
        if (bus::sender_of(message) != bus_driver_name) return;
        std::string name;
        std::string before;
        std::string after;
        message >> name >> before >> after;
        on_owner(after);
    });
}

DaemonOwner::DaemonOwner(sdbus::IConnection& connection, std::function<void()> on_return)
    : on_return_(std::move(on_return)), match_(match_owner(connection, [this](const std::string& owner) {
          if (owner != std::exchange(name_, owner) && !owner.empty()) on_return_();
      })) {
    name_ = std::get<0>(bus::call<std::string>(*bus_driver(connection), bus_driver_name, "GetNameOwner", {},
                                               std::string(service_name)));
}

bool DaemonOwner::sent(const sdbus::Message& message) const {
    return !name_.empty() && bus::sender_of(message) == name_;
}

}  // namespace shorewatch::ctl
