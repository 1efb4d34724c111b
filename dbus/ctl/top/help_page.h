// What the keys of `top` do, as it shows it.
#pragma once

#include <vector>

#include "dbus/ctl/top/view.h"

namespace shorewatch::ctl {

[[nodiscard]] std::vector<TopLine> help_page();

}  // namespace shorewatch::ctl
