#include "dbus/ctl/oci/spec.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <initializer_list>
#include <limits>

#include "dbus/ctl/oci/seccomp.h"

namespace shorewatch::ctl {

namespace {

constexpr const char* specification = "1.0.2";

using Options = std::initializer_list<const char*>;

// What of /proc and /sys tells of the host or its other containers, as Docker has it.
constexpr auto masked_paths =
    std::to_array<const char*>({"/proc/acpi", "/proc/asound", "/proc/interrupts", "/proc/kcore", "/proc/keys",
                                "/proc/latency_stats", "/proc/sched_debug", "/proc/scsi", "/proc/timer_list",
                                "/proc/timer_stats", "/sys/devices/virtual/powercap", "/sys/firmware"});
// And what of it steers the host.
constexpr auto read_only_paths =
    std::to_array<const char*>({"/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"});

void write_mount(JsonText& json, const char* destination, const char* type, const char* source,
                 Options options) {
    json.object([&] {
        json.member("destination", destination);
        json.member("type", type);
        json.member("source", source);
        json.array_member("options", [&] {
            for (const char* const option : options)
                json.value(option);
        });
    });
}

void write_bind_mount(JsonText& json, const BindMount& mount) {
    json.object([&] {
        json.member("destination", mount.destination);
        json.member("type", "bind");
        json.member("source", mount.source);
        json.array_member("options", [&] {
            json.value("rbind");
            json.value("rprivate");
            json.value(mount.read_only ? "ro" : "rw");
        });
    });
}

void write_mounts(JsonText& json, const ContainerPlan& plan) {
    write_mount(json, "/proc", "proc", "proc", {"nosuid", "noexec", "nodev"});
    write_mount(json, "/dev", "tmpfs", "tmpfs", {"nosuid", "strictatime", "mode=755", "size=65536k"});
    // Group 5 is tty wherever there is a Linux.
    write_mount(json, "/dev/pts", "devpts", "devpts",
                {"nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620", "gid=5"});
    write_mount(json, "/dev/shm", "tmpfs", "shm", {"nosuid", "noexec", "nodev", "mode=1777", "size=65536k"});
    write_mount(json, "/dev/mqueue", "mqueue", "mqueue", {"nosuid", "noexec", "nodev"});
    write_mount(json, "/sys", "sysfs", "sysfs", {"nosuid", "noexec", "nodev", "ro"});
    write_mount(json, "/sys/fs/cgroup", "cgroup", "cgroup", {"nosuid", "noexec", "nodev", "relatime", "ro"});
    for (const BindMount& mount : plan.mounts)
        write_bind_mount(json, mount);
}

void write_capabilities(JsonText& json, const Capabilities& capabilities) {
    // Not the inheritable ones: files could hand those on to processes of other users.
    for (const char* const set : {"bounding", "effective", "permitted"}) {
        json.array_member(set, [&] {
            for (const std::string& name : capabilities)
                json.value(name);
        });
    }
}

void write_process(JsonText& json, const ProcessPlan& process) {
    json.member("terminal", process.terminal.has_value());
    if (process.terminal && process.terminal->width > 0 && process.terminal->height > 0) {
        json.object_member("consoleSize", [&] {
            json.member("height", process.terminal->height);
            json.member("width", process.terminal->width);
        });
    }
    json.object_member("user", [&] {
        json.member("uid", process.user.uid);
        json.member("gid", process.user.gid);
        if (!process.user.groups.empty()) json.member("additionalGids", process.user.groups);
    });
    json.member("args", process.arguments);
    json.member("env", process.environment);
    json.member("cwd", process.folder);
    json.object_member("capabilities", [&] { write_capabilities(json, process.capabilities); });
    json.array_member("rlimits", [&] {
        for (const ResourceLimit& limit : process.limits) {
            json.object([&] {
                json.member("type", limit.type);
                json.member("hard", limit.hard);
                json.member("soft", limit.soft);
            });
        }
    });
    json.member("noNewPrivileges", !process.new_privileges);
}

void write_namespaces(JsonText& json, const ContainerPlan& plan) {
    const auto write = [&](const char* type) { json.object([&] { json.member("type", type); }); };
    for (const char* const type : {"pid", "ipc", "uts", "mount", "cgroup"})
        write(type);
    // One without a name has nothing but a loopback interface.
    if (plan.network == Network::none) write("network");
}

void write_linux(JsonText& json, const ContainerPlan& plan) {
    json.object_member("resources", [&] {
        // All devices but the harmless ones, which the runtime adds.
        json.array_member("devices", [&] {
            json.object([&] {
                json.member("allow", false);
                json.member("access", "rwm");
            });
        });
        write_resources(json, plan.resources);
    });
    json.member("cgroupsPath", plan.cgroup_path);
    json.array_member("namespaces", [&] { write_namespaces(json, plan); });
    if (plan.seccomp) {
        json.key("seccomp");
        write_seccomp(json, plan.process.capabilities, plan.machine);
    }
    json.array_member("maskedPaths", [&] {
        for (const char* const path : masked_paths)
            json.value(path);
    });
    json.array_member("readonlyPaths", [&] {
        for (const char* const path : read_only_paths)
            json.value(path);
    });
}

std::optional<std::uint64_t> limit_value(std::string_view text) {
    if (text == "unlimited") return std::numeric_limits<std::uint64_t>::max();
    std::uint64_t value = 0;
    const char* const end = text.data() + text.size();
    const auto [stopped, error] = std::from_chars(text.data(), end, value);
    return error == std::errc{} && stopped == end ? std::optional(value) : std::nullopt;
}

bool is_absolute(std::string_view path) {
    return path.starts_with('/');
}

}  // namespace

const std::vector<std::string>& default_environment() {
    static const std::vector<std::string> variables{
        "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"};
    return variables;
}

std::string spec_json(const ContainerPlan& plan) {
    JsonText json;
    json.object([&] {
        json.member("ociVersion", specification);
        json.object_member("process", [&] { write_process(json, plan.process); });
        json.object_member("root", [&] {
            json.member("path", plan.root);
            json.member("readonly", plan.root_read_only);
        });
        if (!plan.hostname.empty()) json.member("hostname", plan.hostname);
        json.array_member("mounts", [&] { write_mounts(json, plan); });
        json.object_member("linux", [&] { write_linux(json, plan); });
    });
    return json.text();
}

std::optional<BindMount> bind_mount(std::string_view text) {
    const std::size_t colon = text.find(':');
    if (colon == std::string_view::npos) return std::nullopt;
    BindMount mount;
    mount.source = text.substr(0, colon);
    std::string_view destination = text.substr(colon + 1);
    const std::size_t mode = destination.find(':');
    if (mode != std::string_view::npos) {
        const std::string_view said = destination.substr(mode + 1);
        if (said != "ro" && said != "rw") return std::nullopt;
        mount.read_only = said == "ro";
        destination = destination.substr(0, mode);
    }
    mount.destination = destination;
    if (!is_absolute(mount.source) || !is_absolute(mount.destination)) return std::nullopt;
    return mount;
}

std::optional<ResourceLimit> resource_limit(std::string_view text) {
    constexpr auto names = std::to_array<std::string_view>(
        {"as", "core", "cpu", "data", "fsize", "locks", "memlock", "msgqueue", "nice", "nofile", "nproc",
         "rss", "rtprio", "rttime", "sigpending", "stack"});
    const std::size_t equals = text.find('=');
    const std::string_view name = text.substr(0, equals);
    if (equals == std::string_view::npos || std::find(names.begin(), names.end(), name) == names.end())
        return std::nullopt;
    const std::string_view values = text.substr(equals + 1);
    const std::size_t colon = values.find(':');
    const auto soft = limit_value(values.substr(0, colon));
    const auto hard = colon == std::string_view::npos ? soft : limit_value(values.substr(colon + 1));
    if (!soft || !hard || *soft > *hard) return std::nullopt;
    ResourceLimit limit{"RLIMIT_", *soft, *hard};
    for (const char c : name)
        limit.type += static_cast<char>(c - 'a' + 'A');
    return limit;
}

}  // namespace shorewatch::ctl
