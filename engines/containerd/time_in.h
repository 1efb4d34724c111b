// containerd's times in this project's terms. For those that know containerd's messages.
#pragma once

#include <chrono>
#include <optional>

#include "containerd.pb.h"

#include "engines/support/timestamp.h"

namespace shorewatch::containerd {

// Nothing: it is none. Go's zero time is long before 1970: a task that was deleted before it was started
// ended then, and so did not end.
[[nodiscard]] inline std::optional<RealTime> time_in(const api::Timestamp& stamp) {
    const std::optional<RealTime> whole = from_unix_seconds(stamp.seconds());
    if (!whole || stamp.nanos() < 0 || stamp.nanos() > 999'999'999) return std::nullopt;
    return *whole + std::chrono::nanoseconds(stamp.nanos());
}

}  // namespace shorewatch::containerd
