// The statistics of a container's control group, by the kernel's own names.
#pragma once

#include <optional>
#include <string_view>

#include "engines/engine_runtime.h"

namespace shorewatch::containerd {

// bytes: MetricsResponse. Nothing when it is none; without figures when there is no task, or its control
// group's version is not known.
[[nodiscard]] std::optional<Metrics> decode_metrics(std::string_view bytes);

}  // namespace shorewatch::containerd
