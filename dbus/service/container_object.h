// A container on the bus. It keeps nothing but the id: each property is read from the registry.
#pragma once

#include <map>
#include <string>

#include "daemon/registry.h"
#include "dbus/compat/sdbus.h"
#include "dbus/interfaces/container_adaptor.h"

namespace shorewatch::bus {

class ContainerObject final : public sdbus::AdaptorInterfaces<org::shorewatch1::Container_adaptor> {
  public:
    // The container of this id is in the engine's portfolio as long as the object lives.
    ContainerObject(sdbus::IConnection& connection, const PublishedEngine& engine, std::string id);
    ~ContainerObject();
    ContainerObject(const ContainerObject&) = delete;
    ContainerObject& operator=(const ContainerObject&) = delete;

    [[nodiscard]] const std::string& id() const noexcept { return id_; }

    void announce_added();
    void announce_removed();
    void announce_changed(const char* property);

  private:
    std::string Id() override;
    std::string Name() override;
    sdbus::ObjectPath Engine() override;
    std::string Project() override;
    sdbus::ObjectPath ProjectPath() override;
    std::map<std::string, std::string> Labels() override;
    bool LabelsTruncated() override;
    uint32_t PID() override;
    bool Paused() override;
    std::string Image() override;
    uint64_t StartedAt() override;
    std::string Namespace() override;
    std::string Pod() override;
    std::string PodId() override;
    bool Sandbox() override;
    bool Privileged() override;

    template <typename Value>
    [[nodiscard]] Value read(Value Container::* member) const;
    // Throws NoSuchContainer.
    [[nodiscard]] ContainerPtr container() const;

    const PublishedEngine& engine_;
    std::string id_;
};

}  // namespace shorewatch::bus
