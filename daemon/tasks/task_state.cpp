#include "daemon/tasks/task_state.h"

#include <cstddef>
#include <set>
#include <utility>

#include "daemon/tasks/definition_reader.h"
#include "daemon/tasks/task_engine.h"
#include "engines/support/text.h"

namespace shorewatch {

namespace {

void write_time(json::Writer& writer, std::string_view name, const std::optional<RealTime>& time) {
    if (time) writer.member(name, to_rfc3339(*time));
}

void write_text(json::Writer& writer, std::string_view name, const std::string& text) {
    if (!text.empty()) writer.member(name, text);
}

void write_flag(json::Writer& writer, std::string_view name, bool flag) {
    if (!flag) return;
    writer.key(name);
    writer.flag(true);
}

const char* name_of(PortMapping::Protocol protocol) {
    return protocol == PortMapping::Protocol::udp ? "udp" : "tcp";
}

void write_ports(json::Writer& writer, const std::vector<PortMapping>& ports) {
    if (ports.empty()) return;
    writer.key("ports");
    writer.begin_array();
    for (const PortMapping& port : ports) {
        writer.begin_object();
        writer.member("containerPort", std::int64_t{port.container_port});
        writer.member("hostPort", std::int64_t{port.host_port});
        writer.member("protocol", name_of(port.protocol));
        writer.end_object();
    }
    writer.end_array();
}

void write_container(json::Writer& writer, const TaskRecord& task, std::size_t index) {
    const TaskContainerRecord& container = task.containers[index];
    const std::string& name = task.definition->containers[index].name;
    writer.begin_object();
    writer.member("name", name);
    writer.member("engineName", task.engine_name(name));
    write_text(writer, "id", container.id);
    writer.member("known", to_string(container.known));
    writer.member("told", to_string(container.told));
    write_flag(writer, "givenUp", container.given_up);
    write_flag(writer, "stoppedAgain", container.stopped_again);
    write_text(writer, "reason", container.reason);
    if (container.exit_code) writer.member("exitCode", std::int64_t{*container.exit_code});
    write_flag(writer, "oomKilled", container.oom_killed);
    write_time(writer, "started", container.started);
    write_time(writer, "finished", container.finished);
    write_ports(writer, container.ports);
    writer.end_object();
}

// What this project has written itself is read by the same rules as what a person has.
std::string text_or(ObjectReader& reader, std::string_view name, std::string otherwise) {
    const auto value = reader.find(name);
    return value ? value->text_or_empty(longest_definition) : std::move(otherwise);
}

bool flag_or_false(ObjectReader& reader, std::string_view name) {
    const auto value = reader.find(name);
    return value && value->flag();
}

TaskStatus status_of(ObjectReader& reader, std::string_view name) {
    const PlacedValue value = reader.get(name);
    const auto status = status_from(value.text());
    if (!status) value.fail("is no status");
    return *status;
}

std::optional<RealTime> time_of(ObjectReader& reader, std::string_view name) {
    const auto value = reader.find(name);
    if (!value) return std::nullopt;
    const auto time = parse_rfc3339(value->text());
    if (!time) value->fail("is no time");
    return time;
}

std::vector<PortMapping> read_ports(ObjectReader& reader) {
    constexpr std::size_t most_ports = 10'000;
    constexpr std::int64_t highest = 65535;
    std::vector<PortMapping> ports;
    const auto array = reader.find("ports");
    if (!array) return ports;
    for (const PlacedValue& element : array->elements(most_ports)) {
        ObjectReader fields(element, "a port");
        PortMapping port;
        port.container_port = static_cast<std::uint16_t>(fields.get("containerPort").integer(0, highest));
        port.host_port = static_cast<std::uint16_t>(fields.get("hostPort").integer(0, highest));
        if (fields.get("protocol").text() == "udp") port.protocol = PortMapping::Protocol::udp;
        ports.push_back(port);
    }
    return ports;
}

TaskContainerRecord read_container(const PlacedValue& value, const ContainerDefinition& definition) {
    ObjectReader reader(value, "a container");
    TaskContainerRecord container;
    const PlacedValue name = reader.get("name");
    if (name.text() != definition.name) name.fail("is not the definition's");
    container.id = text_or(reader, "id", "");
    container.known = status_of(reader, "known");
    container.told = status_of(reader, "told");
    container.given_up = flag_or_false(reader, "givenUp");
    container.stopped_again = flag_or_false(reader, "stoppedAgain");
    container.reason = text_or(reader, "reason", "");
    if (const auto code = reader.find("exitCode"))
        container.exit_code = static_cast<int>(code->integer(INT32_MIN, INT32_MAX));
    container.oom_killed = flag_or_false(reader, "oomKilled");
    container.started = time_of(reader, "started");
    container.finished = time_of(reader, "finished");
    container.ports = read_ports(reader);
    return container;
}

void read_containers_of(TaskRecord& task, const PlacedValue& array) {
    const std::vector<PlacedValue> elements = array.elements(most_task_containers);
    const std::vector<ContainerDefinition>& definitions = task.definition->containers;
    if (elements.size() != definitions.size()) array.fail("has not as many containers as the definition");
    for (std::size_t index = 0; index < elements.size(); ++index)
        task.containers.push_back(read_container(elements[index], definitions[index]));
}

TaskRecord read_task(const PlacedValue& value) {
    ObjectReader reader(value, "a task");
    TaskRecord task;
    task.arn = read_arn(reader.get("arn"));
    task.file = text_or(reader, "file", "");
    const WantedTask wanted = read_definition(reader.get("definition"));
    task.definition = wanted.definition;
    task.json = wanted.json;
    task.suffix = reader.get("suffix").name();
    task.desired = status_of(reader, "desired");
    task.known = status_of(reader, "known");
    task.told = status_of(reader, "told");
    task.reason = text_or(reader, "reason", "");
    task.remove_now = flag_or_false(reader, "removeNow");
    task.added = time_of(reader, "added");
    task.stopped = time_of(reader, "stopped");
    if (const auto registries = reader.find("registries")) task.registries = registries->texts();
    read_containers_of(task, reader.get("containers"));
    return task;
}

std::map<std::string, FollowedFile, std::less<>> read_files(const PlacedValue& object) {
    std::map<std::string, FollowedFile, std::less<>> files;
    const ObjectReader names(object, "files");
    for (const auto& member : object.value().GetObject()) {
        const std::string name(json::raw_text(member.name));
        const PlacedValue value(member.value, names.path_of(name));
        if (valid_utf8(name) != name) value.fail("has a name that is no UTF-8 without NUL");
        ObjectReader fields(value, "a file");
        FollowedFile file{fields.get("digest").text(), fields.get("boot").text_or_empty()};
        files.emplace(name, std::move(file));
    }
    return files;
}

TaskState read_state(const PlacedValue& root) {
    ObjectReader reader(root, "a state");
    const std::int64_t version = reader.get("version").integer(1, INT32_MAX);
    if (version > task_state_version) {
        throw NewerTaskState("it is of version " + std::to_string(version) +
                             ", of a later Shorewatch; this one knows version " +
                             std::to_string(task_state_version));
    }
    TaskState state;
    state.owner = reader.get("owner").name();
    state.files = read_files(reader.get("files"));
    std::set<std::string> arns;
    for (const PlacedValue& element : reader.get("tasks").elements(most_tasks)) {
        state.tasks.push_back(read_task(element));
        if (!arns.insert(state.tasks.back().arn).second) element.fail("is there twice");
    }
    return state;
}

}  // namespace

TaskStateWriter::TaskStateWriter(const std::string& owner,
                                 const std::map<std::string, FollowedFile, std::less<>>& files) {
    writer_.begin_object();
    writer_.member("version", task_state_version);
    writer_.member("owner", owner);
    writer_.key("files");
    writer_.begin_object();
    for (const auto& [name, file] : files) {
        writer_.key(name);
        writer_.begin_object();
        writer_.member("digest", file.digest);
        writer_.member("boot", file.boot);
        writer_.end_object();
    }
    writer_.end_object();
    writer_.key("tasks");
    writer_.begin_array();
}

void TaskStateWriter::add(const TaskRecord& task) {
    writer_.begin_object();
    writer_.member("arn", task.arn);
    write_text(writer_, "file", task.file);
    writer_.member("suffix", task.suffix);
    writer_.member("desired", to_string(task.desired));
    writer_.member("known", to_string(task.known));
    writer_.member("told", to_string(task.told));
    write_text(writer_, "reason", task.reason);
    write_flag(writer_, "removeNow", task.remove_now);
    write_time(writer_, "added", task.added);
    write_time(writer_, "stopped", task.stopped);
    if (!task.registries.empty()) {
        writer_.key("registries");
        writer_.begin_array();
        for (const std::string& registry : task.registries)
            writer_.text(registry);
        writer_.end_array();
    }
    writer_.key("containers");
    writer_.begin_array();
    for (std::size_t index = 0; index < task.containers.size(); ++index)
        write_container(writer_, task, index);
    writer_.end_array();
    writer_.key("definition");
    writer_.own_object(task.json);
    writer_.end_object();
}

std::string TaskStateWriter::finish() {
    writer_.end_array();
    writer_.end_object();
    return std::string(writer_.written()) + "\n";
}

TaskState read_task_state(std::string text) {
    try {
        const json::Document document(std::move(text));
        return read_state(PlacedValue(document.root(), "$"));
    } catch (const json::Malformed& error) {
        throw InvalidDefinition("$", error.what());
    }
}

}  // namespace shorewatch
