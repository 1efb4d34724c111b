// Signals by name, as labels of images and containers have them.
#pragma once

#include <optional>
#include <string_view>

namespace shorewatch::containerd {

// "SIGTERM", "term", "15", "SIGRTMIN+3", "RTMAX-1": 1 to 64, or nothing. Real-time signals are numbered as
// glibc and Go have them in most containers: from 34 to 64.
[[nodiscard]] std::optional<int> signal_of(std::string_view name);

}  // namespace shorewatch::containerd
