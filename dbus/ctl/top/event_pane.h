// The events at the bottom of `top`: the latest of all, or all that is known of what is followed. Pure.
#pragma once

#include <cstddef>
#include <vector>

#include "dbus/ctl/top/view.h"

namespace shorewatch::ctl {

// A title, and `rows` lines at most: of what is followed also what it is.
[[nodiscard]] std::vector<TopLine> event_pane(const TopScene& scene, std::size_t rows, const Style& style);

}  // namespace shorewatch::ctl
