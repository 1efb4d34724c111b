#include "engines/docker/docker_plan.h"

#include <map>
#include <string_view>
#include <vector>

#include "engines/http/json_writer.h"

namespace shorewatch::docker {

namespace {

std::string port_name(const PortMapping& port) {
    return std::to_string(port.container_port) +
           (port.protocol == PortMapping::Protocol::udp ? "/udp" : "/tcp");
}

std::vector<std::string> environment_of(const ContainerPlan& plan) {
    std::vector<std::string> variables;
    variables.reserve(plan.environment.size());
    for (const auto& [name, value] : plan.environment)
        variables.push_back(std::string(name).append("=").append(value));
    return variables;
}

// Folders of the host that are missing are made for "Binds" alone, which would take a colon in a path for its
// own.
bool is_bind(const ContainerMount& mount) {
    return mount.source.find(':') == std::string::npos && mount.path.find(':') == std::string::npos;
}

void write_mounts(json::Writer& body, const ContainerPlan& plan) {
    std::vector<std::string> binds;
    for (const ContainerMount& mount : plan.mounts) {
        if (is_bind(mount))
            binds.push_back(mount.source + ":" + mount.path + (mount.read_only ? ":ro" : ":rw"));
    }
    body.texts("Binds", binds);
    body.key("Mounts");
    body.begin_array();
    for (const ContainerMount& mount : plan.mounts) {
        if (is_bind(mount)) continue;
        body.begin_object();
        body.member("Type", mount.source.starts_with('/') ? "bind" : "volume");
        body.member("Source", mount.source);
        body.member("Target", mount.path);
        body.key("ReadOnly");
        body.flag(mount.read_only);
        body.end_object();
    }
    body.end_array();
}

void write_bindings(json::Writer& body, const ContainerPlan& plan) {
    std::map<std::string, std::vector<std::string>> bindings;
    for (const PortMapping& port : plan.ports)
        bindings[port_name(port)].push_back(port.host_port != 0 ? std::to_string(port.host_port) : "");
    body.key("PortBindings");
    body.begin_object();
    for (const auto& [name, host_ports] : bindings) {
        body.key(name);
        body.begin_array();
        for (const std::string& host_port : host_ports) {
            body.begin_object();
            body.member("HostPort", host_port);
            body.end_object();
        }
        body.end_array();
    }
    body.end_object();
}

void write_host_config(json::Writer& body, const ContainerPlan& plan) {
    body.key("HostConfig");
    body.begin_object();
    if (plan.cpu_shares != 0) body.member("CpuShares", std::int64_t{plan.cpu_shares});
    if (plan.memory_bytes != 0) body.member("Memory", static_cast<std::int64_t>(plan.memory_bytes));
    if (plan.memory_reservation_bytes != 0)
        body.member("MemoryReservation", static_cast<std::int64_t>(plan.memory_reservation_bytes));
    std::vector<std::string> links;
    links.reserve(plan.links.size());
    for (const auto& [id, name] : plan.links)
        links.push_back(std::string(id).append(":").append(name));
    body.texts("Links", links);
    std::vector<std::string> sources;
    sources.reserve(plan.volumes_from.size());
    for (const auto& [id, read_only] : plan.volumes_from)
        sources.push_back(id + (read_only ? ":ro" : ":rw"));
    body.texts("VolumesFrom", sources);
    write_mounts(body, plan);
    write_bindings(body, plan);
    body.end_object();
}

}  // namespace

std::pair<std::string, std::string> split_image(const std::string& image) {
    const std::size_t at = image.find('@');
    const std::size_t colon = image.rfind(':', at);
    const std::size_t slash = image.rfind('/', at);
    // Of the colons before a slash, one is that of a registry's port.
    const bool tagged = colon != std::string::npos && (slash == std::string::npos || colon > slash);
    const std::string repository = image.substr(0, tagged ? colon : at);
    if (at != std::string::npos) return {repository, image.substr(at + 1)};
    return {repository, tagged ? image.substr(colon + 1) : "latest"};
}

std::string create_body(const ContainerPlan& plan) {
    json::Writer body;
    body.begin_object();
    body.member("Image", plan.image);
    if (plan.entry_point) body.texts("Entrypoint", *plan.entry_point);
    if (plan.command) body.texts("Cmd", *plan.command);
    body.texts("Env", environment_of(plan));
    body.key("Labels");
    body.begin_object();
    for (const auto& [key, value] : plan.labels)
        body.member(key, value);
    body.end_object();
    body.key("ExposedPorts");
    body.begin_object();
    for (const PortMapping& port : plan.ports) {
        body.key(port_name(port));
        body.begin_object();
        body.end_object();
    }
    body.end_object();
    write_host_config(body, plan);
    body.end_object();
    return std::string(body.written());
}

}  // namespace shorewatch::docker
