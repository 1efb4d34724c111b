// The properties of org.shorewatch1.Container, as the XML has them: the one place that knows how each is
// written, for the objects as for lists.
#pragma once

#include <array>
#include <cstdint>

#include "daemon/registry.h"
#include "dbus/compat/sdbus.h"

namespace shorewatch::bus {

// A container as it is shown. The engine is in the registry as long as this lives.
struct ShownContainer {
    const PublishedEngine* engine = nullptr;
    ContainerPtr container;
    InitProcessPtr process;  // null: none is held
};

struct ContainerProperty {
    const char* name;
    const char* signature;
    std::uint16_t flags;  // of sd_bus_vtable
    // Appends the value. Throws sdbus::Error.
    void (*write)(sd_bus_message* to, const ShownContainer& shown);
};

extern const std::array<ContainerProperty, 18> container_properties;

}  // namespace shorewatch::bus
