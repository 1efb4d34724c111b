// The containers of one engine on the bus, on one connection.
//
// They are no objects of sdbus-c++, each of which has a table of its own, 10 KB large: libsystemd has one
// table for all paths below the engine's, and asks here which of them are containers. Those are what the
// registry has: nothing is kept of any.
#pragma once

#include <memory>
#include <string>

#include "daemon/registry.h"
#include "dbus/compat/sd_bus.h"
#include "dbus/service/container_properties.h"
#include "dbus/service/handled_call.h"
#include "dbus/service/service_context.h"

namespace shorewatch::bus {

class ContainerFolder {
  public:
    // All given outlive the folder.
    ContainerFolder(sdbus::IConnection& connection, const ServiceContext& context,
                    const PublishedEngine& engine);
    ~ContainerFolder() = default;
    ContainerFolder(const ContainerFolder&) = delete;
    ContainerFolder& operator=(const ContainerFolder&) = delete;

    // Of a container that the registry has.
    void announce_added(const std::string& id);
    void announce_changed(const std::string& id, const char* property);
    // Of one that it has or had until now.
    void announce_removed(const ContainerPtr& container);

    // For the functions that libsystemd calls: of the container that it looked up last.
    [[nodiscard]] const ShownContainer& found() const noexcept { return found_; }
    [[nodiscard]] const ServiceContext& context() const noexcept { return context_; }
    [[nodiscard]] HandledCall handled(sd_bus_message* call) const {
        return {.message = call, .object = *maker_};
    }

  private:
    static int find(sd_bus* bus, const char* path, const char* interface, void* data, void** found,
                    sd_bus_error* failure) noexcept;
    static int list(sd_bus* bus, const char* prefix, void* data, char*** paths,
                    sd_bus_error* failure) noexcept;
    // False: there is none at that path.
    [[nodiscard]] bool look_up(const char* path);
    [[nodiscard]] std::string path_of(const std::string& id) const;

    const ServiceContext& context_;
    const PublishedEngine& engine_;
    const std::string path_;
    // Nothing is published of it: it makes messages.
    std::unique_ptr<sdbus::IObject> maker_;
    ContainerPtr leaving_;  // is found for the moment in which it is told that it goes
    ShownContainer found_;
    SdSlot objects_;
    SdSlot nodes_;
};

}  // namespace shorewatch::bus
