#include "dbus/service/container_rows.h"

#include "dbus/compat/sd_bus.h"
#include "dbus/service/object_paths.h"

namespace shorewatch::bus {

namespace {

// Names, signatures, lengths, padding and values of fixed size of a container; and the same of a label.
constexpr std::size_t frame_bytes = 900;
constexpr std::size_t label_frame_bytes = 24;
// What one byte can become in a path: "_2d".
constexpr std::size_t escaped_byte = 3;

}  // namespace

ContainerRows::ContainerRows(const std::vector<Registry::Found>& containers) {
    rows_.reserve(containers.size());
    for (const Registry::Found& found : containers)
        rows_.push_back({found.engine, found.container, found.engine->process(found.container->id)});
}

void ContainerRows::write(sd_bus_message* message, const ShownContainer& row) {
    open_container(message, SD_BUS_TYPE_STRUCT, "oa{sv}");
    append(message, container_path(row.engine->name(), row.container->id));
    open_container(message, SD_BUS_TYPE_ARRAY, "{sv}");
    for (const ContainerProperty& property : container_properties) {
        open_container(message, SD_BUS_TYPE_DICT_ENTRY, "sv");
        append(message, property.name);
        open_container(message, SD_BUS_TYPE_VARIANT, property.signature);
        property.write(message, row);
        close_container(message);
        close_container(message);
    }
    close_container(message);
    close_container(message);
}

std::size_t ContainerRows::size_on_wire(const ShownContainer& row) {
    const Container& c = *row.container;
    const std::size_t strings = c.id.size() + c.name.size() + c.project.size() + c.image.size() +
                                c.name_space.size() + c.pod.size() + c.pod_id.size();
    const std::size_t paths = escaped_byte * (3 * row.engine->name().size() + c.project.size() + c.id.size());
    const std::size_t of_process = cgroup_path_of(row.process).size() + unit_of(row.process).size();
    const std::size_t labels = c.labels->bytes() + label_frame_bytes * c.labels->entries().size();
    return frame_bytes + strings + paths + of_process + labels;
}

std::size_t ContainerRows::size_on_wire() const {
    std::size_t bytes = 0;
    for (const ShownContainer& row : rows_)
        bytes += size_on_wire(row);
    return bytes;
}

sdbus::Message& operator<<(sdbus::Message& message, const ContainerRows& rows) {
    sd_bus_message* const raw = raw_message(message);
    open_container(raw, SD_BUS_TYPE_ARRAY, "(oa{sv})");
    for (const ShownContainer& row : rows.rows_)
        ContainerRows::write(raw, row);
    close_container(raw);
    return message;
}

}  // namespace shorewatch::bus
