#include "dbus/service/container_object.h"

#include <utility>

#include "dbus/service/errors.h"
#include "dbus/service/object_paths.h"

namespace shorewatch::bus {

ContainerObject::ContainerObject(sdbus::IConnection& connection, const ServiceContext& context,
                                 const PublishedEngine& engine, std::string id)
    : AdaptorInterfaces(connection, container_path(engine.name(), id)),
      context_(context),
      engine_(engine),
      id_(std::move(id)) {
    registerAdaptor();
}

ContainerObject::~ContainerObject() {
    unregisterAdaptor();
}

void ContainerObject::announce_added() {
    getObject().emitInterfacesAddedSignal();
}

void ContainerObject::announce_removed() {
    getObject().emitInterfacesRemovedSignal();
}

void ContainerObject::announce_changed(const char* property) {
    getObject().emitPropertiesChangedSignal(INTERFACE_NAME, {PropertyName(property)});
}

ContainerPtr ContainerObject::container() const {
    ContainerPtr found = engine_.portfolio().find(id_);
    if (!found) throw error(errors::no_such_container, "Container " + id_ + " is not alive");
    return found;
}

template <typename Value>
Value ContainerObject::read(Value Container::* member) const {
    return answer([&] { return (*container()).*member; });
}

std::string ContainerObject::Id() {
    return read(&Container::id);
}

std::string ContainerObject::Name() {
    return read(&Container::name);
}

sdbus::ObjectPath ContainerObject::Engine() {
    return answer([&] { return engine_path(engine_.name()); });
}

std::string ContainerObject::Project() {
    return read(&Container::project);
}

sdbus::ObjectPath ContainerObject::ProjectPath() {
    return answer([&] { return project_path(engine_.name(), container()->project); });
}

std::map<std::string, std::string> ContainerObject::Labels() {
    return answer([&] {
        const auto labels = container()->labels;
        return std::map<std::string, std::string>(labels->entries().begin(), labels->entries().end());
    });
}

bool ContainerObject::LabelsTruncated() {
    return answer([&] { return container()->labels->truncated(); });
}

uint32_t ContainerObject::PID() {
    return read(&Container::pid);
}

bool ContainerObject::Paused() {
    return read(&Container::paused);
}

std::string ContainerObject::Image() {
    return read(&Container::image);
}

uint64_t ContainerObject::StartedAt() {
    return answer([&] { return to_usec(container()->started); });
}

std::string ContainerObject::Namespace() {
    return read(&Container::name_space);
}

std::string ContainerObject::Pod() {
    return read(&Container::pod);
}

std::string ContainerObject::PodId() {
    return read(&Container::pod_id);
}

bool ContainerObject::Sandbox() {
    return read(&Container::sandbox);
}

bool ContainerObject::Privileged() {
    return read(&Container::privileged);
}

std::string ContainerObject::CgroupPath() {
    return answer([&] { return cgroup_path_of(engine_.process(id_)); });
}

std::string ContainerObject::Unit() {
    return answer([&] { return unit_of(engine_.process(id_)); });
}

}  // namespace shorewatch::bus
