// A container on the bus. It keeps nothing but the id: each property is read from the registry, and what is
// to be done is done by the daemon.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "daemon/control_request.h"
#include "daemon/registry.h"
#include "dbus/compat/sdbus.h"
#include "dbus/interfaces/container_adaptor.h"
#include "dbus/service/service_context.h"

namespace shorewatch::bus {

class ContainerObject final : public sdbus::AdaptorInterfaces<org::shorewatch1::Container_adaptor> {
  public:
    // The container of this id is in the engine's portfolio as long as the object lives.
    ContainerObject(sdbus::IConnection& connection, const ServiceContext& context,
                    const PublishedEngine& engine, std::string id);
    ~ContainerObject();
    ContainerObject(const ContainerObject&) = delete;
    ContainerObject& operator=(const ContainerObject&) = delete;

    [[nodiscard]] const std::string& id() const noexcept { return id_; }

    void announce_added();
    void announce_removed();
    void announce_changed(const char* property);

  private:
    using Addresses = std::vector<sdbus::Struct<std::string, std::string>>;

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
    std::string CgroupPath() override;
    std::string Unit() override;

    // In container_calls.cpp.
    void Inspect(sdbus::Result<std::string>&& result) override;
    void OpenPIDFD(sdbus::Result<sdbus::UnixFd>&& result) override;
    void OpenNamespaces(sdbus::Result<std::map<std::string, sdbus::UnixFd>>&& result,
                        std::vector<std::string> types) override;
    void GetAddresses(sdbus::Result<Addresses>&& result) override;
    void Pause(sdbus::Result<>&& result) override;
    void Unpause(sdbus::Result<>&& result) override;
    void Stop(sdbus::Result<>&& result, uint32_t timeout_seconds) override;
    void Kill(sdbus::Result<>&& result, int32_t signal) override;

    // Has the engine do it if the caller may, to the run that this object is of now, and answers with what
    // make makes of the engine's answer.
    template <typename... Values, typename Make>
    void control(sdbus::Result<Values...>&& result, Action action, const std::string& doing,
                 const ControlRequest& request, Make make);
    // Answers with what make makes of the initial process of the run that this object is of now, if the
    // caller may.
    template <typename Value, typename Make>
    void inspect(sdbus::Result<Value>&& result, const std::string& doing, Make make);
    [[nodiscard]] Request request(Action action, const std::string& doing) const;

    template <typename Value>
    [[nodiscard]] Value read(Value Container::* member) const;
    // Throws NoSuchContainer.
    [[nodiscard]] ContainerPtr container() const;

    const ServiceContext& context_;
    const PublishedEngine& engine_;
    std::string id_;
};

}  // namespace shorewatch::bus
