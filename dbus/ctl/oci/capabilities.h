// The capabilities of the processes in a container, by the kernel's names.
#pragma once

#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace shorewatch::ctl {

// As "CAP_NET_RAW". Whatever runs the container must know them.
using Capabilities = std::set<std::string>;

// What containers get that nobody says more about, as Docker and ctr have it: enough for most images that run
// as root, and nothing that reaches the host.
[[nodiscard]] const Capabilities& default_capabilities();

// "CAP_NET_RAW" of "NET_RAW", "net_raw" or "cap_net_raw"; nothing when no kernel up to Linux 6.18 has it.
[[nodiscard]] std::optional<std::string> capability_name(std::string_view text);

// Base, without what is dropped, with what is added. "all" of either is every capability; what is both added
// and dropped by name is dropped. The names are such that capability_name() knows, or "all".
[[nodiscard]] Capabilities changed_capabilities(const Capabilities& base,
                                                const std::vector<std::string>& added,
                                                const std::vector<std::string>& dropped);

}  // namespace shorewatch::ctl
