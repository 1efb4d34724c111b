#include "dbus/service/project_object.h"

#include <utility>

#include "dbus/service/errors.h"
#include "dbus/service/object_paths.h"
#include "engines/support/text.h"

namespace shorewatch::bus {

ProjectObject::ProjectObject(sdbus::IConnection& connection, const PublishedEngine& engine, std::string name)
    : AdaptorInterfaces(connection, project_path(engine.name(), name)),
      engine_(engine),
      name_(std::move(name)) {
    registerAdaptor();
}

ProjectObject::~ProjectObject() {
    unregisterAdaptor();
}

void ProjectObject::announce_added() {
    getObject().emitInterfacesAddedSignal();
}

void ProjectObject::announce_removed() {
    getObject().emitInterfacesRemovedSignal();
}

void ProjectObject::invalidate_containers() {
    getObject().emitPropertiesChangedSignal(INTERFACE_NAME,
                                            {PropertyName("ContainerNames"), PropertyName("Containers")});
}

sdbus::ObjectPath ProjectObject::GetContainer(const std::string& name_or_id) {
    return answer([&] {
        const ComposerProject* project = engine_.portfolio().project(name_);
        const ContainerPtr found = project != nullptr ? project->container(name_or_id) : nullptr;
        if (found) return container_path(engine_.name(), found->id);
        throw error(errors::no_such_container, "No alive container '" + printable(name_or_id) +
                                                   "' in project '" + printable(name_) + "' of engine '" +
                                                   engine_.name() + "'");
    });
}

std::string ProjectObject::Name() {
    return answer([&] { return name_; });
}

sdbus::ObjectPath ProjectObject::Engine() {
    return answer([&] { return engine_path(engine_.name()); });
}

std::vector<std::string> ProjectObject::ContainerNames() {
    return answer([&] {
        const ComposerProject* project = engine_.portfolio().project(name_);
        return project != nullptr ? project->container_names() : std::vector<std::string>();
    });
}

std::vector<sdbus::ObjectPath> ProjectObject::Containers() {
    return answer([&] {
        std::vector<sdbus::ObjectPath> paths;
        const ComposerProject* project = engine_.portfolio().project(name_);
        if (project == nullptr) return paths;
        for (const ContainerPtr& container : project->containers()) {
            paths.push_back(container_path(engine_.name(), container->id));
        }
        return paths;
    });
}

}  // namespace shorewatch::bus
