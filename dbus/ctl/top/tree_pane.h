// The tree of `top`, with a column for each thing that is known of a container. Pure.
#pragma once

#include <cstddef>
#include <vector>

#include "dbus/ctl/top/view.h"

namespace shorewatch::ctl {

// The titles, and at most `rows` lines.
[[nodiscard]] std::vector<TopLine> tree_pane(const TopScene& scene, std::size_t rows, const Style& style);

}  // namespace shorewatch::ctl
