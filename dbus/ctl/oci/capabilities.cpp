#include "dbus/ctl/oci/capabilities.h"

#include <algorithm>
#include <array>

namespace shorewatch::ctl {

namespace {

// linux/capability.h, in its order.
constexpr std::array known{"CAP_CHOWN",
                           "CAP_DAC_OVERRIDE",
                           "CAP_DAC_READ_SEARCH",
                           "CAP_FOWNER",
                           "CAP_FSETID",
                           "CAP_KILL",
                           "CAP_SETGID",
                           "CAP_SETUID",
                           "CAP_SETPCAP",
                           "CAP_LINUX_IMMUTABLE",
                           "CAP_NET_BIND_SERVICE",
                           "CAP_NET_BROADCAST",
                           "CAP_NET_ADMIN",
                           "CAP_NET_RAW",
                           "CAP_IPC_LOCK",
                           "CAP_IPC_OWNER",
                           "CAP_SYS_MODULE",
                           "CAP_SYS_RAWIO",
                           "CAP_SYS_CHROOT",
                           "CAP_SYS_PTRACE",
                           "CAP_SYS_PACCT",
                           "CAP_SYS_ADMIN",
                           "CAP_SYS_BOOT",
                           "CAP_SYS_NICE",
                           "CAP_SYS_RESOURCE",
                           "CAP_SYS_TIME",
                           "CAP_SYS_TTY_CONFIG",
                           "CAP_MKNOD",
                           "CAP_LEASE",
                           "CAP_AUDIT_WRITE",
                           "CAP_AUDIT_CONTROL",
                           "CAP_SETFCAP",
                           "CAP_MAC_OVERRIDE",
                           "CAP_MAC_ADMIN",
                           "CAP_SYSLOG",
                           "CAP_WAKE_ALARM",
                           "CAP_BLOCK_SUSPEND",
                           "CAP_AUDIT_READ",
                           "CAP_PERFMON",
                           "CAP_BPF",
                           "CAP_CHECKPOINT_RESTORE"};

std::string upper(std::string_view text) {
    std::string result(text);
    std::transform(result.begin(), result.end(), result.begin(),
                   [](char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c; });
    return result;
}

bool names_all(const std::vector<std::string>& names) {
    return std::any_of(names.begin(), names.end(),
                       [](const std::string& name) { return upper(name) == "ALL"; });
}

}  // namespace

const Capabilities& default_capabilities() {
    static const Capabilities names{
        "CAP_AUDIT_WRITE", "CAP_CHOWN",   "CAP_DAC_OVERRIDE",     "CAP_FOWNER",    "CAP_FSETID",
        "CAP_KILL",        "CAP_MKNOD",   "CAP_NET_BIND_SERVICE", "CAP_NET_RAW",   "CAP_SETFCAP",
        "CAP_SETGID",      "CAP_SETPCAP", "CAP_SETUID",           "CAP_SYS_CHROOT"};
    return names;
}

std::optional<std::string> capability_name(std::string_view text) {
    std::string name = upper(text);
    if (!name.starts_with("CAP_")) name.insert(0, "CAP_");
    const bool exists = std::find(known.begin(), known.end(), name) != known.end();
    return exists ? std::optional(name) : std::nullopt;
}

Capabilities changed_capabilities(const Capabilities& base, const std::vector<std::string>& added,
                                  const std::vector<std::string>& dropped) {
    Capabilities result = names_all(dropped) ? Capabilities{} : base;
    if (names_all(added)) result.insert(known.begin(), known.end());
    for (const std::string& name : added) {
        if (const auto capability = capability_name(name)) result.insert(*capability);
    }
    for (const std::string& name : dropped) {
        if (const auto capability = capability_name(name)) result.erase(*capability);
    }
    return result;
}

}  // namespace shorewatch::ctl
