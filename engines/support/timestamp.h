// Wall-clock time as engines report it.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace shorewatch {

// CLOCK_REALTIME in nanoseconds, as exact as engines stamp their events.
using RealTime = std::chrono::sys_time<std::chrono::nanoseconds>;

[[nodiscard]] inline RealTime real_time_now() {
    return std::chrono::time_point_cast<std::chrono::nanoseconds>(std::chrono::system_clock::now());
}

// "2026-11-22T00:04:53.123456789Z", with any number of digits of a second and any offset. Go's zero time
// (year 1) and everything before 1970 or after 2200 are no time at all.
[[nodiscard]] std::optional<RealTime> parse_rfc3339(std::string_view text);

// Whole seconds since 1970; not after then, or after 2200: no time at all.
[[nodiscard]] std::optional<RealTime> from_unix_seconds(std::int64_t seconds);

// "2026-11-22T00:04:53.123456789Z", always with nine digits of a second.
[[nodiscard]] std::string to_rfc3339(RealTime time);

// "1700000000.123456789", as Docker and Podman take it in since=.
[[nodiscard]] std::string to_decimal_seconds(RealTime time);

// Microseconds since 1970, as D-Bus and systemd have it; 0 for no time.
[[nodiscard]] std::uint64_t to_usec(std::optional<RealTime> time);

}  // namespace shorewatch
