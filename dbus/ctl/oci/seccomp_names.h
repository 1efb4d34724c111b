// The names of system calls that containers may make, as data for seccomp.cpp. NOTICE says where they are
// from.
#pragma once

#include <span>
#include <string_view>

namespace shorewatch::ctl {

// Harmless, or harmless within namespaces: on all architectures. Names that an architecture or a kernel
// doesn't have are passed over by libseccomp's callers.
[[nodiscard]] std::span<const std::string_view> allowed_calls();

struct PrivilegedCalls {
    std::string_view capability;
    std::span<const std::string_view> names;
};
// Those allowed with one capability. A name may stand in several.
[[nodiscard]] std::span<const PrivilegedCalls> privileged_calls();

}  // namespace shorewatch::ctl
