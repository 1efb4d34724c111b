// What every object on the bus is given: the state that it shows, what it may have done, and who may have it
// done.
#pragma once

#include <string>

#include "daemon/daemon_actions.h"
#include "daemon/processes/addresses.h"
#include "daemon/registry.h"
#include "dbus/service/authority.h"
#include "dbus/service/open_calls.h"

namespace shorewatch::bus {

struct ServiceContext {
    const Registry& registry;
    DaemonActions& actions;
    Authority& authority;
    OpenCalls& calls;
    AddressReader& addresses;
    bool user;  // on the session bus
    std::string instance_id;
};

}  // namespace shorewatch::bus
