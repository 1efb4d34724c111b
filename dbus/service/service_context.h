// What every object on the bus is given: the state that it shows, what it may have done, and who may have it
// done.
#pragma once

#include <string>

#include "daemon/daemon_actions.h"
#include "daemon/registry.h"
#include "dbus/service/authority.h"

namespace shorewatch::bus {

struct ServiceContext {
    const Registry& registry;
    DaemonActions& actions;
    Authority& authority;
    bool user;  // on the session bus
    std::string instance_id;
};

}  // namespace shorewatch::bus
