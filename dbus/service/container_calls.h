// A call of a container's method. What each does is in the XML. It is answered later, but for what it throws.
#pragma once

#include <string>

#include "daemon/control_request.h"
#include "dbus/service/container_properties.h"
#include "dbus/service/handled_call.h"
#include "dbus/service/service_context.h"

namespace shorewatch::bus {

class ContainerCall {
  public:
    // To the run that container is of.
    ContainerCall(const ServiceContext& context, const ShownContainer& container, HandledCall call)
        : context_(context), container_(container), call_(call) {}

    void inspect() const;
    void open_pidfd() const;
    void open_namespaces() const;
    void get_addresses() const;
    void pause() const;
    void unpause() const;
    void stop() const;
    void kill() const;

  private:
    // Has the engine do what is asked if the caller may, and answers with what make makes of the engine's
    // answer.
    template <typename... Values, typename Make>
    void control(Action action, const std::string& doing, const ControlRequest& asked, Make make) const;
    // Answers with what make makes of the initial process, if the caller may.
    template <typename Value, typename Make>
    void look(const std::string& doing, Make make) const;
    [[nodiscard]] Request request(Action action, const std::string& doing) const;
    [[nodiscard]] const std::string& id() const noexcept { return container_.container->id; }

    const ServiceContext& context_;
    const ShownContainer container_;
    const HandledCall call_;
};

}  // namespace shorewatch::bus
