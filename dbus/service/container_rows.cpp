#include "dbus/service/container_rows.h"

#include <string>

#include "dbus/service/object_paths.h"

namespace shorewatch::bus {

namespace {

class PropertyWriter {
  public:
    explicit PropertyWriter(sdbus::Message& message) : message_(message) { message_.openContainer("{sv}"); }
    void close() { message_.closeContainer(); }

    template <typename Value>
    void add(const char* name, const char* signature, const Value& value) {
        message_.openDictEntry("sv");
        message_ << name;
        message_.openVariant(signature);
        message_ << value;
        message_.closeVariant();
        message_.closeDictEntry();
    }

    void add(const char* name, const Labels& labels) {
        message_.openDictEntry("sv");
        message_ << name;
        message_.openVariant("a{ss}");
        message_.openContainer("{ss}");
        for (const auto& [key, value] : labels.entries()) {
            message_.openDictEntry("ss");
            message_ << key << value;
            message_.closeDictEntry();
        }
        message_.closeContainer();
        message_.closeVariant();
        message_.closeDictEntry();
    }

  private:
    sdbus::Message& message_;
};

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

void ContainerRows::write(sdbus::Message& message, const Row& row) {
    const Container& container = *row.container;
    const std::string& engine = row.engine->name();
    message.openStruct("oa{sv}");
    message << container_path(engine, container.id);
    PropertyWriter writer(message);
    writer.add("Id", "s", container.id);
    writer.add("Name", "s", container.name);
    writer.add("Engine", "o", engine_path(engine));
    writer.add("Project", "s", container.project);
    writer.add("ProjectPath", "o", project_path(engine, container.project));
    writer.add("Labels", *container.labels);
    writer.add("LabelsTruncated", "b", container.labels->truncated());
    writer.add("PID", "u", container.pid);
    writer.add("Paused", "b", container.paused);
    writer.add("Image", "s", container.image);
    writer.add("StartedAt", "t", to_usec(container.started));
    writer.add("Namespace", "s", container.name_space);
    writer.add("Pod", "s", container.pod);
    writer.add("PodId", "s", container.pod_id);
    writer.add("Sandbox", "b", container.sandbox);
    writer.add("Privileged", "b", container.privileged);
    writer.add("CgroupPath", "s", cgroup_path_of(row.process));
    writer.add("Unit", "s", unit_of(row.process));
    writer.close();
    message.closeStruct();
}

std::size_t ContainerRows::size_on_wire(const Row& row) {
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
    for (const Row& row : rows_)
        bytes += size_on_wire(row);
    return bytes;
}

sdbus::Message& operator<<(sdbus::Message& message, const ContainerRows& rows) {
    message.openContainer("(oa{sv})");
    for (const ContainerRows::Row& row : rows.rows_)
        ContainerRows::write(message, row);
    message.closeContainer();
    return message;
}

}  // namespace shorewatch::bus
