// A composer project on the bus. It keeps nothing but the name: each property is read from the registry.
#pragma once

#include <string>
#include <vector>

#include "daemon/registry.h"
#include "dbus/compat/sdbus.h"
#include "dbus/interfaces/project_adaptor.h"

namespace shorewatch::bus {

class ProjectObject final : public sdbus::AdaptorInterfaces<org::shorewatch1::Project_adaptor> {
  public:
    ProjectObject(sdbus::IConnection& connection, const PublishedEngine& engine, std::string name);
    ~ProjectObject();
    ProjectObject(const ProjectObject&) = delete;
    ProjectObject& operator=(const ProjectObject&) = delete;

    void announce_added();
    void announce_removed();
    // Says that the lists of containers are other than before, without the lists.
    void invalidate_containers();

  private:
    sdbus::ObjectPath GetContainer(const std::string& name_or_id) override;
    std::string Name() override;
    sdbus::ObjectPath Engine() override;
    std::vector<std::string> ContainerNames() override;
    std::vector<sdbus::ObjectPath> Containers() override;

    const PublishedEngine& engine_;
    std::string name_;
};

}  // namespace shorewatch::bus
