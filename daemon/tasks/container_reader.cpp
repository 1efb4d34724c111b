// The containers of a task definition.
#include <algorithm>
#include <cstdint>
#include <set>
#include <utility>

#include "daemon/tasks/definition_reader.h"
#include "daemon/tasks/dependency_graph.h"
#include "daemon/tasks/task_engine.h"
#include "engines/support/text.h"

namespace shorewatch {

namespace {

using Condition = ContainerDependency::Condition;

constexpr std::size_t most_entries = 1000;  // of each list of a container
constexpr std::int64_t mebibyte = std::int64_t{1024} * 1024;

// The names of all containers, known before any of them is read: they refer to each other.
using Names = std::vector<std::string>;

std::size_t container_called(const std::string& name, const Names& names, std::size_t self,
                             const PlacedValue& where) {
    const auto found = std::ranges::find(names, name);
    if (found == names.end()) where.fail("names container '" + name + "', which is not in this task");
    const auto index = static_cast<std::size_t>(found - names.begin());
    if (index == self) where.fail("names the container itself");
    return index;
}

void depend(ContainerDefinition& container, std::size_t on, Condition condition) {
    const ContainerDependency dependency{on, condition};
    if (std::ranges::find(container.dependencies, dependency) == container.dependencies.end())
        container.dependencies.push_back(dependency);
}

std::string image_of(const PlacedValue& value) {
    const std::string image = value.text(longest_name);
    const auto fits = [](char character) {
        constexpr std::string_view others = "._-/:@+";
        return (character >= 'a' && character <= 'z') || (character >= 'A' && character <= 'Z') ||
               (character >= '0' && character <= '9') || others.find(character) != std::string_view::npos;
    };
    if (!std::ranges::all_of(image, fits)) {
        value.fail(
            "is no image's name; expected one as in 'busybox', 'registry.example:5000/web:1.2' or "
            "'web@sha256:…'");
    }
    return image;
}

// "name" or "name:alias".
ContainerDefinition::Link link_of(const PlacedValue& value, const Names& names, std::size_t self) {
    const std::string text = value.text();
    const std::size_t colon = text.find(':');
    const std::string name = text.substr(0, colon);
    const std::string alias = colon == std::string::npos ? name : text.substr(colon + 1);
    if (alias.empty() || alias.find(':') != std::string::npos) {
        value.fail("is no link; expected 'container' or 'container:alias'");
    }
    return {container_called(name, names, self, value), alias};
}

void read_links(ContainerDefinition& container, const PlacedValue& array, const Names& names,
                std::size_t self) {
    for (const PlacedValue& element : array.elements(most_entries)) {
        ContainerDefinition::Link link = link_of(element, names, self);
        const auto same = [&](const ContainerDefinition::Link& other) { return other.alias == link.alias; };
        if (std::ranges::any_of(container.links, same)) element.fail("gives a name that is given already");
        depend(container, link.container, Condition::running);
        container.links.push_back(std::move(link));
    }
}

void read_volumes_from(ContainerDefinition& container, const PlacedValue& array, const Names& names,
                       std::size_t self) {
    for (const PlacedValue& element : array.elements(most_entries)) {
        ObjectReader reader(element, "an entry of volumesFrom");
        const PlacedValue source = reader.get("sourceContainer");
        const auto read_only = reader.find("readOnly");
        reader.finish();
        const std::size_t index = container_called(source.text(), names, self, source);
        const auto same = [&](const ContainerDefinition::VolumesFrom& other) {
            return other.container == index;
        };
        if (std::ranges::any_of(container.volumes_from, same)) source.fail("is there already");
        depend(container, index, Condition::created);
        container.volumes_from.push_back({index, read_only && read_only->flag()});
    }
}

void read_mounts(ContainerDefinition& container, const PlacedValue& array,
                 const std::vector<VolumeDefinition>& volumes) {
    for (const PlacedValue& element : array.elements(most_entries)) {
        ObjectReader reader(element, "a mount point");
        const PlacedValue source = reader.get("sourceVolume");
        const PlacedValue path = reader.get("containerPath");
        const auto read_only = reader.find("readOnly");
        reader.finish();
        const std::string name = source.text();
        const auto volume = std::ranges::find(volumes, name, &VolumeDefinition::name);
        if (volume == volumes.end()) source.fail("names volume '" + name + "', which is not in this task");
        ContainerDefinition::MountPoint mount{static_cast<std::size_t>(volume - volumes.begin()),
                                              path.absolute_path(), read_only && read_only->flag()};
        const auto same = [&](const ContainerDefinition::MountPoint& other) {
            return other.path == mount.path;
        };
        if (std::ranges::any_of(container.mounts, same)) path.fail("is where another volume is mounted");
        container.mounts.push_back(std::move(mount));
    }
}

PortMapping::Protocol protocol_of(const PlacedValue& value) {
    const std::string text = value.text();
    if (text == "tcp") return PortMapping::Protocol::tcp;
    if (text == "udp") return PortMapping::Protocol::udp;
    value.fail("is '" + text + "'; expected 'tcp' or 'udp'");
}

void read_ports(ContainerDefinition& container, const PlacedValue& array) {
    constexpr std::int64_t highest = 65535;
    for (const PlacedValue& element : array.elements(most_entries)) {
        ObjectReader reader(element, "a port mapping");
        const PlacedValue port = reader.get("containerPort");
        const auto host_port = reader.find("hostPort");
        const auto protocol = reader.find("protocol");
        reader.allow({"name", "appProtocol"});
        reader.refuse({"containerPortRange"});
        reader.finish();
        PortMapping mapping;
        mapping.container_port = static_cast<std::uint16_t>(port.integer(1, highest));
        if (host_port) mapping.host_port = static_cast<std::uint16_t>(host_port->integer(0, highest));
        if (protocol) mapping.protocol = protocol_of(*protocol);
        if (std::ranges::find(container.ports, mapping) != container.ports.end())
            element.fail("is there already");
        container.ports.push_back(mapping);
    }
}

void add_unique(StringPairs& pairs, const PlacedValue& where, std::string name, std::string value) {
    const auto same = [&](const auto& pair) { return pair.first == name; };
    if (std::ranges::any_of(pairs, same)) where.fail("gives '" + name + "' a second value");
    pairs.emplace_back(std::move(name), std::move(value));
}

void check_variable(const PlacedValue& where, const std::string& name) {
    if (name.empty() || name.find('=') != std::string::npos)
        where.fail("is '" + name + "'; expected the name of a variable, without '='");
}

// An array of names and values, or an object of them, as agents have it.
StringPairs environment_of(const PlacedValue& value) {
    StringPairs environment;
    if (value.value().IsObject()) {
        ObjectReader reader(value, "an environment");
        for (const auto& member : value.value().GetObject()) {
            const std::string name(json::raw_text(member.name));
            const PlacedValue variable(member.value, reader.path_of(name));
            check_variable(variable, name);
            if (valid_utf8(name) != name) variable.fail("has a name that is no text");
            environment.emplace_back(name, variable.text_or_empty());
        }
        return environment;
    }
    for (const PlacedValue& element : value.elements(most_entries)) {
        ObjectReader reader(element, "a variable");
        const PlacedValue name = reader.get("name");
        const auto text = reader.find("value");
        reader.finish();
        check_variable(name, name.text());
        add_unique(environment, name, name.text(), text ? text->text_or_empty() : "");
    }
    return environment;
}

StringPairs labels_of(const PlacedValue& value) {
    StringPairs labels;
    ObjectReader reader(value, "labels");
    for (const auto& member : value.value().GetObject()) {
        const std::string name(json::raw_text(member.name));
        const PlacedValue label(member.value, reader.path_of(name));
        if (name.empty() || valid_utf8(name) != name) label.fail("has a name that is no text");
        if (name.starts_with("org.shorewatch.")) label.fail("has a name that only Shorewatch gives");
        labels.emplace_back(name, label.text_or_empty());
    }
    return labels;
}

Condition condition_of(const PlacedValue& value) {
    const std::string text = value.text();
    if (text == "START") return Condition::running;
    if (text == "COMPLETE") return Condition::ended;
    if (text == "SUCCESS") return Condition::success;
    if (text == "HEALTHY") value.fail("is 'HEALTHY'; health checks are not supported here");
    value.fail("is '" + text + "'; expected 'START', 'COMPLETE' or 'SUCCESS'");
}

// dependsOn, and runDependencies of early agents.
void read_dependencies(ContainerDefinition& container, ObjectReader& reader, const Names& names,
                       std::size_t self) {
    if (const auto array = reader.find("dependsOn")) {
        for (const PlacedValue& element : array->elements(most_entries)) {
            ObjectReader entry(element, "a dependency");
            const PlacedValue name = entry.get("containerName");
            const PlacedValue condition = entry.get("condition");
            entry.finish();
            depend(container, container_called(name.text(), names, self, name), condition_of(condition));
        }
    }
    if (const auto array = reader.find("runDependencies")) {
        for (const PlacedValue& name : array->elements(most_entries))
            depend(container, container_called(name.text(), names, self, name), Condition::running);
    }
}

// Memory is in MiB, as ECS has it.
void read_resources(ContainerDefinition& container, ObjectReader& reader) {
    constexpr std::int64_t most_shares = 262'144;
    constexpr std::int64_t least_memory = 4;
    constexpr std::int64_t most_memory = std::int64_t{16} * 1024 * 1024;
    if (const auto cpu = reader.find("cpu"))
        container.cpu_shares = static_cast<std::uint32_t>(cpu->integer(0, most_shares));
    if (const auto memory = reader.find("memory")) {
        container.memory_bytes =
            static_cast<std::uint64_t>(memory->integer(least_memory, most_memory) * mebibyte);
    }
    const auto reservation = reader.find("memoryReservation");
    if (!reservation) return;
    container.memory_reservation_bytes =
        static_cast<std::uint64_t>(reservation->integer(least_memory, most_memory) * mebibyte);
    if (container.memory_bytes != 0 && container.memory_reservation_bytes > container.memory_bytes)
        reservation->fail("is more than 'memory'");
}

void read_program(ContainerDefinition& container, ObjectReader& reader) {
    if (const auto value = reader.find("entryPoint")) container.entry_point = value->texts();
    if (const auto value = reader.find("command")) container.command = value->texts();
    if (const auto value = reader.find("environment")) container.environment = environment_of(*value);
    if (const auto value = reader.find("dockerLabels")) container.labels = labels_of(*value);
    if (const auto value = reader.find("overrides")) {
        ObjectReader overrides(*value, "overrides");
        if (const auto command = overrides.find("command")) container.command = command->texts();
        overrides.finish();
    }
    if (const auto value = reader.find("stopTimeout")) {
        constexpr std::int64_t longest = 3600;
        container.stop_timeout = std::chrono::seconds(value->integer(0, longest));
    }
}

ContainerDefinition read_container(const PlacedValue& value, const Names& names, std::size_t self,
                                   const std::vector<VolumeDefinition>& volumes) {
    ObjectReader reader(value, "a container");
    ContainerDefinition container;
    container.name = reader.get("name").name();
    container.image = image_of(reader.get("image"));
    if (const auto essential = reader.find("essential")) container.essential = essential->flag();
    read_resources(container, reader);
    read_program(container, reader);
    if (const auto links = reader.find("links")) read_links(container, *links, names, self);
    if (const auto array = reader.find("volumesFrom")) read_volumes_from(container, *array, names, self);
    if (const auto mounts = reader.find("mountPoints")) read_mounts(container, *mounts, volumes);
    if (const auto ports = reader.find("portMappings")) read_ports(container, *ports);
    read_dependencies(container, reader, names, self);
    reader.refuse({"credentialSpecs",
                   "disableNetworking",
                   "dnsSearchDomains",
                   "dnsServers",
                   "dockerSecurityOptions",
                   "environmentFiles",
                   "extraHosts",
                   "firelensConfiguration",
                   "healthCheck",
                   "hostname",
                   "interactive",
                   "linuxParameters",
                   "logConfiguration",
                   "privileged",
                   "pseudoTerminal",
                   "readonlyRootFilesystem",
                   "repositoryCredentials",
                   "resourceRequirements",
                   "restartPolicy",
                   "secrets",
                   "startTimeout",
                   "systemControls",
                   "ulimits",
                   "user",
                   "workingDirectory"});
    reader.allow({"versionConsistency"});
    reader.finish();
    return container;
}

Names read_names(const std::vector<PlacedValue>& elements) {
    Names names;
    for (const PlacedValue& element : elements) {
        const PlacedValue name = ObjectReader(element, "a container").get("name");
        if (std::ranges::find(names, name.name()) != names.end())
            name.fail("is '" + name.name() + "', as another container's");
        names.push_back(name.name());
    }
    return names;
}

void check_host_ports(const std::vector<ContainerDefinition>& containers, const PlacedValue& array) {
    std::set<std::pair<std::uint16_t, PortMapping::Protocol>> taken;
    for (const ContainerDefinition& container : containers) {
        for (const PortMapping& port : container.ports) {
            if (port.host_port != 0 && !taken.emplace(port.host_port, port.protocol).second)
                array.fail("maps port " + std::to_string(port.host_port) + " of the host twice");
        }
    }
}

void check_dependencies(const std::vector<ContainerDefinition>& containers, const PlacedValue& array) {
    if (const auto cycle = find_cycle(containers)) {
        std::string path;
        for (const std::size_t index : *cycle)
            path += containers[index].name + " -> ";
        array.fail("has containers that wait for each other in a circle: " + path +
                   containers[cycle->front()].name);
    }
    if (const auto found = find_contradiction(containers)) {
        array.fail("has container '" + containers[found->container].name + "' wait for '" +
                   containers[found->needs].name + "' both to run and to have ended");
    }
    for (const ContainerDefinition& container : containers) {
        for (const ContainerDependency& dependency : container.dependencies) {
            const bool end =
                dependency.condition == Condition::ended || dependency.condition == Condition::success;
            if (end && containers[dependency.container].essential) {
                array.fail("has container '" + container.name + "' wait for the end of '" +
                           containers[dependency.container].name +
                           "', which is essential: its end stops the task");
            }
        }
    }
}

}  // namespace

std::vector<ContainerDefinition> read_containers(const PlacedValue& array,
                                                 const std::vector<VolumeDefinition>& volumes) {
    const std::vector<PlacedValue> elements = array.elements(most_task_containers);
    if (elements.empty()) array.fail("is empty; a task has at least one container");
    const Names names = read_names(elements);
    std::vector<ContainerDefinition> containers;
    containers.reserve(elements.size());
    for (const PlacedValue& element : elements)
        containers.push_back(read_container(element, names, containers.size(), volumes));
    if (std::ranges::none_of(containers, &ContainerDefinition::essential))
        array.fail("has no essential container; at least one has to be");
    check_host_ports(containers, array);
    check_dependencies(containers, array);
    return containers;
}

}  // namespace shorewatch
