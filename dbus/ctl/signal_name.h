// Signals by their names, as kill(1) takes them.
#pragma once

#include <optional>
#include <string_view>

namespace shorewatch::ctl {

// The number of "TERM", "SIGTERM", "term", "15", "RTMIN+3" or "RTMAX-1"; nothing when there is no such
// signal.
[[nodiscard]] std::optional<int> signal_number(std::string_view name);

}  // namespace shorewatch::ctl
