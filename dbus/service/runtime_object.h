// The runtime of an engine on the bus, at the engine's path.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "daemon/registry.h"
#include "daemon/runtime/runtime.h"
#include "dbus/compat/sdbus.h"
#include "dbus/interfaces/runtime_adaptor.h"
#include "dbus/service/runtime_values.h"
#include "dbus/service/service_context.h"

namespace shorewatch::bus {

class RuntimeObject final : public sdbus::AdaptorInterfaces<org::shorewatch1::Runtime_adaptor> {
  public:
    RuntimeObject(sdbus::IConnection& connection, const ServiceContext& context,
                  const PublishedEngine& engine);
    ~RuntimeObject();
    RuntimeObject(const RuntimeObject&) = delete;
    RuntimeObject& operator=(const RuntimeObject&) = delete;

    void announce(const RuntimeSignal& signal);

  private:
    void Version(sdbus::Result<std::string, std::string>&& result) override;
    void Create(sdbus::Result<>&& result, std::string id, std::string oci_spec_json,
                Dictionary options) override;
    void Start(sdbus::Result<uint32_t, Stdio>&& result, std::string id, Dictionary options) override;
    void SignalProcess(sdbus::Result<>&& result, std::string id, std::string process,
                       int32_t signal) override;
    void Exec(sdbus::Result<uint32_t, Stdio>&& result, std::string id, std::string process,
              std::string process_json, Dictionary options) override;
    void ResizeTerminal(sdbus::Result<>&& result, std::string id, std::string process, uint32_t width,
                        uint32_t height) override;
    void CloseStdin(sdbus::Result<>&& result, std::string id, std::string process) override;
    void Pause(sdbus::Result<>&& result, std::string id) override;
    void Resume(sdbus::Result<>&& result, std::string id) override;
    void Stats(sdbus::Result<uint64_t, Dictionary>&& result, std::string id) override;
    void ListPids(sdbus::Result<std::vector<uint32_t>>&& result, std::string id) override;
    void Summary(sdbus::Result<ProcessRows>&& result, std::string id) override;
    void DeleteTask(sdbus::Result<uint32_t, uint64_t>&& result, std::string id) override;
    void Delete(sdbus::Result<>&& result, std::string id) override;
    void Status(sdbus::Result<std::string>&& result, std::string id) override;
    void UpdateResources(sdbus::Result<>&& result, std::string id, std::string linux_resources_json) override;
    void CreateCheckpoint(sdbus::Result<>&& result, std::string id, std::string directory,
                          bool exit) override;
    void Restore(sdbus::Result<bool, uint32_t, Stdio>&& result, std::string id, Dictionary options) override;
    void ImageConfig(sdbus::Result<std::string>&& result, std::string image, Dictionary given) override;
    void List(sdbus::Result<uint64_t, RuntimeRows>&& result, Dictionary given) override;

    // What the caller wants.
    struct Wish {
        Action action;
        std::string doing;      // as Request has it
        std::string container;  // empty: of none in particular
    };
    // Has it done if the caller may, and answers with what make makes of the runtime's answer.
    template <typename... Values, typename Make>
    void call(sdbus::Result<Values...>&& result, const Wish& wish, RuntimeRequest request, Make make);
    // Of what comes to nothing but being done.
    void act(sdbus::Result<>&& result, const Wish& wish, RuntimeRequest request);

    const ServiceContext& context_;
    const PublishedEngine& engine_;
};

}  // namespace shorewatch::bus
