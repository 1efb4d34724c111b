// containerd's times in this project's terms. For those that know containerd's messages.
#pragma once

#include <chrono>
#include <cstdint>
#include <limits>
#include <optional>

#include "containerd.pb.h"

#include "engines/support/timestamp.h"

namespace shorewatch::containerd {

// Nothing: it is none. Go's zero time is long before 1970 (a task that was deleted before it was started
// ended then: it did not end), and what a RealTime holds ends in 2262.
[[nodiscard]] inline std::optional<RealTime> time_in(const api::Timestamp& stamp) {
    constexpr std::int64_t latest = std::numeric_limits<std::int64_t>::max() / 1'000'000'000 - 1;
    if (stamp.seconds() <= 0 || stamp.seconds() > latest) return std::nullopt;
    if (stamp.nanos() < 0 || stamp.nanos() > 999'999'999) return std::nullopt;
    return RealTime{std::chrono::seconds(stamp.seconds()) + std::chrono::nanoseconds(stamp.nanos())};
}

}  // namespace shorewatch::containerd
