// The root object: all engines and containers, and every signal of what happens to them.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <tuple>
#include <vector>

#include "daemon/registry.h"
#include "dbus/compat/sdbus.h"
#include "dbus/interfaces/manager_adaptor.h"
#include "dbus/service/container_rows.h"
#include "dbus/service/service_context.h"
#include "dbus/service/signal_details.h"

namespace shorewatch::bus {

class ManagerObject final : public sdbus::AdaptorInterfaces<org::shorewatch1::Manager_adaptor> {
  public:
    ManagerObject(sdbus::IConnection& connection, const ServiceContext& context);
    ~ManagerObject();
    ManagerObject(const ManagerObject&) = delete;
    ManagerObject& operator=(const ManagerObject&) = delete;

    // The lifecycle signals. The state that they tell of is in the registry already.
    void announce(const PublishedEngine& engine, const ContainerStarted& change, std::uint64_t sequence);
    void announce(const PublishedEngine& engine, const ContainerExited& change, std::uint64_t sequence);
    void announce(const PublishedEngine& engine, const ContainerPaused& change, std::uint64_t sequence);
    void announce(const PublishedEngine& engine, const ContainerUnpaused& change, std::uint64_t sequence);
    void announce(const PublishedEngine& engine, const ContainerRenamed& change, std::uint64_t sequence);
    void announce_state(const PublishedEngine& engine, const EngineStatus& before, std::uint64_t sequence);

    void announce_ready();
    // Says that the number of containers is another than before, without the number.
    void invalidate_containers();

  private:
    using Emit = void (ManagerObject::*)(const std::string& engine, const std::string& project,
                                         const std::string& name, const std::string& id,
                                         const sdbus::ObjectPath& path, const std::uint64_t& sequence,
                                         const std::map<std::string, sdbus::Variant>& details);
    using EngineRow = sdbus::Struct<sdbus::ObjectPath, std::map<std::string, sdbus::Variant>>;

    template <typename Change>
    void announce(Emit emit, const PublishedEngine& engine, const Change& change, std::uint64_t sequence);

    std::vector<EngineRow> ListEngines() override;
    std::tuple<uint64_t, ContainerRows> ListContainers(
        const std::map<std::string, sdbus::Variant>& filter) override;
    sdbus::ObjectPath GetContainer(const std::string& name_or_id) override;
    void GetContainerByPID(sdbus::Result<sdbus::ObjectPath>&& result, uint32_t pid) override;
    sdbus::ObjectPath GetContainerByPIDFD(const sdbus::UnixFd& pidfd) override;
    sdbus::ObjectPath GetContainerByCgroup(const std::string& cgroup) override;
    sdbus::ObjectPath GetContainerByUnit(const std::string& unit) override;
    void Reload(sdbus::Result<>&& result) override;
    std::string Version() override;
    std::string InstanceId() override;
    bool Ready() override;
    uint64_t Sequence() override;
    uint32_t ContainerTotal() override;
    uint32_t QueueLength() override;

    const ServiceContext& context_;
    std::unique_ptr<sdbus::IProxy> driver_;  // the bus itself, to ask who calls
};

}  // namespace shorewatch::bus
