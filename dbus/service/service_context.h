// What every object on the bus is given: the state that it shows, what it may have done, and who may ask for
// that.
#pragma once

#include <string>

#include "daemon/daemon_actions.h"
#include "daemon/registry.h"
#include "dbus/compat/sdbus.h"

namespace shorewatch::bus {

struct ServiceContext {
    const Registry& registry;
    DaemonActions& actions;
    bool user;  // on the session bus
    std::string instance_id;
};

// Throws AccessDenied unless the sender of the message that object handles now may change things: root; on
// the session bus, the user we run as. doing completes "Only root may …".
void require_authority(const ServiceContext& context, const sdbus::IObject& object, const char* doing);

}  // namespace shorewatch::bus
