#include "dbus/service/engine_object.h"

#include "dbus/service/errors.h"
#include "dbus/service/object_paths.h"
#include "engines/support/text.h"

namespace shorewatch::bus {

EngineObject::EngineObject(sdbus::IConnection& connection, const ServiceContext& context,
                           const PublishedEngine& engine)
    : AdaptorInterfaces(connection, engine_path(engine.name())), context_(context), engine_(engine) {
    registerAdaptor();
}

EngineObject::~EngineObject() {
    unregisterAdaptor();
}

void EngineObject::announce_added() {
    getObject().emitInterfacesAddedSignal();
}

void EngineObject::announce_removed() {
    getObject().emitInterfacesRemovedSignal();
}

void EngineObject::announce_changed(const EngineStatus& before) {
    const EngineStatus& now = engine_.status();
    std::vector<PropertyName> changed;
    if (before.identity.id != now.identity.id) changed.emplace_back("Id");
    if (before.identity.version != now.identity.version) changed.emplace_back("Version");
    if (before.identity.pid != now.identity.pid) changed.emplace_back("PID");
    if (before.state != now.state) changed.emplace_back("State");
    if (before.last_error != now.last_error) changed.emplace_back("LastError");
    if (before.since != now.since) changed.emplace_back("Since");
    if (!changed.empty()) getObject().emitPropertiesChangedSignal(INTERFACE_NAME, changed);
}

void EngineObject::invalidate_containers() {
    getObject().emitPropertiesChangedSignal(INTERFACE_NAME,
                                            {PropertyName("ContainerTotal"), PropertyName("ProjectNames")});
}

sdbus::ObjectPath EngineObject::GetProject(const std::string& name) {
    return answer([&] {
        if (engine_.portfolio().project(name) != nullptr) return project_path(engine_.name(), name);
        throw error(
            errors::no_such_project,
            "No project '" + printable(name) + "' with alive containers on engine '" + engine_.name() + "'");
    });
}

sdbus::ObjectPath EngineObject::GetContainer(const std::string& name_or_id) {
    return answer([&] {
        const ContainerPtr found = engine_.portfolio().container(name_or_id);
        if (found) return container_path(engine_.name(), found->id);
        throw error(errors::no_such_container,
                    "No alive container '" + printable(name_or_id) + "' on engine '" + engine_.name() + "'");
    });
}

void EngineObject::Resync(sdbus::Result<>&& result) {
    answer([&] {
        context_.authority.require(
            getObject(),
            {.action = Action::control, .doing = "have an engine listed again", .engine = engine_.name()},
            std::move(result),
            [&actions = context_.actions, name = engine_.name()] { actions.resync(name); });
    });
}

std::string EngineObject::Name() {
    return answer([&] { return engine_.name(); });
}

std::string EngineObject::Type() {
    return answer([&] { return engine_.type(); });
}

std::string EngineObject::Api() {
    return answer([&] { return engine_.api(); });
}

sdbus::ObjectPath EngineObject::Holder() {
    return answer([&] { return holder_path(engine_); });
}

std::string EngineObject::Id() {
    return answer([&] { return engine_.status().identity.id; });
}

std::string EngineObject::Version() {
    return answer([&] { return engine_.status().identity.version; });
}

uint32_t EngineObject::PID() {
    return engine_.status().identity.pid;
}

std::string EngineObject::State() {
    return answer([&] { return std::string(to_string(engine_.status().state)); });
}

std::string EngineObject::LastError() {
    return answer([&] { return engine_.status().last_error; });
}

uint64_t EngineObject::Since() {
    return to_usec(engine_.status().since);
}

uint32_t EngineObject::ContainerTotal() {
    return static_cast<uint32_t>(engine_.portfolio().container_total());
}

std::vector<std::string> EngineObject::ProjectNames() {
    return answer([&] { return engine_.portfolio().names(); });
}

}  // namespace shorewatch::bus
