// A container, or a process in one, as the OCI runtime specification says it: what runc is given.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "dbus/ctl/oci/capabilities.h"
#include "dbus/ctl/oci/resources.h"
#include "dbus/ctl/oci/users.h"

namespace shorewatch::ctl {

// In characters; 0 by 0 is a terminal that nobody has told its size.
struct TerminalSize {
    std::uint32_t width = 0;
    std::uint32_t height = 0;
};

struct ResourceLimit {
    std::string type;  // "RLIMIT_NOFILE"
    std::uint64_t soft = 0;
    std::uint64_t hard = 0;
};

// A folder or file of the host, seen in the container.
struct BindMount {
    std::string source;       // absolute
    std::string destination;  // absolute
    bool read_only = false;
};

// All text is valid UTF-8, without NUL.
struct ProcessPlan {
    std::vector<std::string> arguments;    // of which the first is the program
    std::vector<std::string> environment;  // KEY=VALUE
    std::string folder = "/";
    User user;
    std::optional<TerminalSize> terminal;  // absent: it has none
    Capabilities capabilities = default_capabilities();
    std::vector<ResourceLimit> limits = {{"RLIMIT_NOFILE", 1024, 1024}};  // as ctr has it
    bool new_privileges = false;  // whether programs with set-user-id bits give their privileges
};

enum class Network { none, host };

struct ContainerPlan {
    ProcessPlan process;
    std::string root = "rootfs";  // in the container's bundle, or absolute
    bool root_read_only = false;
    std::string hostname;     // empty: the host's
    std::string cgroup_path;  // as cgroupfs has it, "/shorewatch/web"
    Network network = Network::none;
    std::vector<BindMount> mounts;
    Resources resources;
    bool seccomp = true;
    std::string machine;  // uname(2)'s, for seccomp
};

// The whole specification: namespaces of its own but for what network says, the mounts that programs expect,
// and nothing of /proc and /sys that reads or steers the host.
[[nodiscard]] std::string spec_json(const ContainerPlan& plan);

// What every process has in its environment if nothing else is said: PATH.
[[nodiscard]] const std::vector<std::string>& default_environment();

// "SOURCE:DESTINATION[:ro|rw]", both absolute; nothing for anything else. The first colon separates.
[[nodiscard]] std::optional<BindMount> bind_mount(std::string_view text);

// "nofile=1024" or "nofile=1024:4096", by the names of prlimit(1), "unlimited" for no limit; nothing for
// anything else.
[[nodiscard]] std::optional<ResourceLimit> resource_limit(std::string_view text);

}  // namespace shorewatch::ctl
