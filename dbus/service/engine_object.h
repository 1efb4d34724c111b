// An engine on the bus. Each property is read from the registry.
#pragma once

#include <string>
#include <vector>

#include "daemon/registry.h"
#include "dbus/compat/sdbus.h"
#include "dbus/interfaces/engine_adaptor.h"
#include "dbus/service/service_context.h"

namespace shorewatch::bus {

class EngineObject final : public sdbus::AdaptorInterfaces<org::shorewatch1::Engine_adaptor> {
  public:
    EngineObject(sdbus::IConnection& connection, const ServiceContext& context,
                 const PublishedEngine& engine);
    ~EngineObject();
    EngineObject(const EngineObject&) = delete;
    EngineObject& operator=(const EngineObject&) = delete;

    void announce_added();
    void announce_removed();
    // Says which properties have another value than in before, with the values.
    void announce_changed(const EngineStatus& before);
    // Says that the number of containers, and the list of projects, are other than before.
    void invalidate_containers();

  private:
    sdbus::ObjectPath GetProject(const std::string& name) override;
    sdbus::ObjectPath GetContainer(const std::string& name_or_id) override;
    void Resync(sdbus::Result<>&& result) override;
    std::string Name() override;
    std::string Type() override;
    std::string Api() override;
    sdbus::ObjectPath Holder() override;
    std::string Id() override;
    std::string Version() override;
    uint32_t PID() override;
    std::string State() override;
    std::string LastError() override;
    uint64_t Since() override;
    uint32_t ContainerTotal() override;
    std::vector<std::string> ProjectNames() override;

    const ServiceContext& context_;
    const PublishedEngine& engine_;
};

}  // namespace shorewatch::bus
