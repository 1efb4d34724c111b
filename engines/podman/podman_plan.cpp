#include "engines/podman/podman_plan.h"

#include <string_view>
#include <vector>

#include "engines/http/json_writer.h"

namespace shorewatch::podman {

namespace {

void write_pairs(json::Writer& body, std::string_view name, const StringPairs& pairs) {
    body.key(name);
    body.begin_object();
    for (const auto& [key, value] : pairs)
        body.member(key, value);
    body.end_object();
}

void write_limits(json::Writer& body, const ContainerPlan& plan) {
    body.key("resource_limits");
    body.begin_object();
    if (plan.cpu_shares != 0) {
        body.key("cpu");
        body.begin_object();
        body.member("shares", std::int64_t{plan.cpu_shares});
        body.end_object();
    }
    body.key("memory");
    body.begin_object();
    if (plan.memory_bytes != 0) body.member("limit", static_cast<std::int64_t>(plan.memory_bytes));
    if (plan.memory_reservation_bytes != 0)
        body.member("reservation", static_cast<std::int64_t>(plan.memory_reservation_bytes));
    body.end_object();
    body.end_object();
}

// Folders of the host, as OCI has them; a missing one is an error, as with Docker's mounts.
void write_mounts(json::Writer& body, const ContainerPlan& plan) {
    body.key("mounts");
    body.begin_array();
    for (const ContainerMount& mount : plan.mounts) {
        if (!mount.source.starts_with('/')) continue;
        body.begin_object();
        body.member("type", "bind");
        body.member("source", mount.source);
        body.member("destination", mount.path);
        body.texts("options", {"rbind", mount.read_only ? "ro" : "rw"});
        body.end_object();
    }
    body.end_array();
}

void write_volumes(json::Writer& body, const ContainerPlan& plan) {
    body.key("volumes");
    body.begin_array();
    for (const ContainerMount& mount : plan.mounts) {
        if (mount.source.starts_with('/')) continue;
        body.begin_object();
        body.member("Name", mount.source);
        body.member("Dest", mount.path);
        body.texts("Options", {mount.read_only ? "ro" : "rw"});
        body.end_object();
    }
    body.end_array();
}

void write_ports(json::Writer& body, const ContainerPlan& plan) {
    body.key("portmappings");
    body.begin_array();
    for (const PortMapping& port : plan.ports) {
        body.begin_object();
        body.member("container_port", std::int64_t{port.container_port});
        body.member("host_port", std::int64_t{port.host_port});
        body.member("protocol", port.protocol == PortMapping::Protocol::udp ? "udp" : "tcp");
        body.end_object();
    }
    body.end_array();
}

}  // namespace

std::string create_body(const ContainerPlan& plan, const StringPairs& hosts) {
    json::Writer body;
    body.begin_object();
    body.member("name", plan.name);
    body.member("image", plan.image);
    if (plan.entry_point) body.texts("entrypoint", *plan.entry_point);
    if (plan.command) body.texts("command", *plan.command);
    write_pairs(body, "env", plan.environment);
    write_pairs(body, "labels", plan.labels);
    if (plan.cpu_shares != 0 || plan.memory_bytes != 0 || plan.memory_reservation_bytes != 0)
        write_limits(body, plan);
    std::vector<std::string> sources;
    sources.reserve(plan.volumes_from.size());
    for (const auto& [id, read_only] : plan.volumes_from)
        sources.push_back(id + (read_only ? ":ro" : ":rw"));
    body.texts("volumes_from", sources);
    write_mounts(body, plan);
    write_volumes(body, plan);
    if (!plan.ports.empty()) write_ports(body, plan);
    std::vector<std::string> entries;
    entries.reserve(hosts.size());
    for (const auto& [name, address] : hosts)
        entries.push_back(std::string(name).append(":").append(address));
    if (!entries.empty()) body.texts("hostadd", entries);
    body.end_object();
    return std::string(body.written());
}

}  // namespace shorewatch::podman
