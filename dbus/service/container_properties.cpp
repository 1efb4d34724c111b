#include "dbus/service/container_properties.h"

#include "dbus/compat/sd_bus.h"
#include "dbus/service/object_paths.h"

namespace shorewatch::bus {

namespace {

constexpr std::uint16_t constant = SD_BUS_VTABLE_PROPERTY_CONST;
constexpr std::uint16_t changes = SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE;

template <auto member>
void field(sd_bus_message* to, const ShownContainer& shown) {
    append(to, (*shown.container).*member);
}

void engine(sd_bus_message* to, const ShownContainer& shown) {
    append(to, engine_path(shown.engine->name()));
}

void project(sd_bus_message* to, const ShownContainer& shown) {
    append(to, project_path(shown.engine->name(), shown.container->project));
}

void labels(sd_bus_message* to, const ShownContainer& shown) {
    open_container(to, SD_BUS_TYPE_ARRAY, "{ss}");
    for (const auto& [key, value] : shown.container->labels->entries()) {
        open_container(to, SD_BUS_TYPE_DICT_ENTRY, "ss");
        append(to, key);
        append(to, value);
        close_container(to);
    }
    close_container(to);
}

void labels_truncated(sd_bus_message* to, const ShownContainer& shown) {
    append(to, shown.container->labels->truncated());
}

void started(sd_bus_message* to, const ShownContainer& shown) {
    append(to, std::uint64_t{to_usec(shown.container->started)});
}

void cgroup(sd_bus_message* to, const ShownContainer& shown) {
    append(to, cgroup_path_of(shown.process));
}

void unit(sd_bus_message* to, const ShownContainer& shown) {
    append(to, unit_of(shown.process));
}

}  // namespace

constexpr std::array<ContainerProperty, 18> container_properties{{
    {"Id", "s", constant, field<&Container::id>},
    {"Name", "s", changes, field<&Container::name>},
    {"Engine", "o", constant, engine},
    {"Project", "s", constant, field<&Container::project>},
    {"ProjectPath", "o", constant, project},
    {"Labels", "a{ss}", constant, labels},
    {"LabelsTruncated", "b", constant, labels_truncated},
    {"PID", "u", constant, field<&Container::pid>},
    {"Paused", "b", changes, field<&Container::paused>},
    {"Image", "s", constant, field<&Container::image>},
    {"StartedAt", "t", constant, started},
    {"Namespace", "s", constant, field<&Container::name_space>},
    {"Pod", "s", constant, field<&Container::pod>},
    {"PodId", "s", constant, field<&Container::pod_id>},
    {"Sandbox", "b", constant, field<&Container::sandbox>},
    {"Privileged", "b", constant, field<&Container::privileged>},
    {"CgroupPath", "s", constant, cgroup},
    {"Unit", "s", constant, unit},
}};

}  // namespace shorewatch::bus
