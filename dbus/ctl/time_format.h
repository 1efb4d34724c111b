// Times and durations for people. Times are microseconds since 1970 (CLOCK_REALTIME), as D-Bus has them; 0 is
// none.
#pragma once

#include <cstdint>
#include <string>

namespace shorewatch::ctl {

[[nodiscard]] std::uint64_t now_usec();

// "00:04:53.123" and "2026-11-22 00:04:53.123" in local time; "-" for 0.
[[nodiscard]] std::string local_time(std::uint64_t usec);
[[nodiscard]] std::string local_date_time(std::uint64_t usec);

// Two units of a duration in microseconds: "42s", "5m12s", "3h20m", "2d4h", from 100 days on "123d".
[[nodiscard]] std::string rough_duration(std::uint64_t usec);

// The same, and below ten seconds to the millisecond: "0.042s", "9.999s".
[[nodiscard]] std::string fine_duration(std::uint64_t usec);

// How long ago from was, at now: rough_duration(); "-" where from is 0, "0s" where it lies in the future.
[[nodiscard]] std::string age(std::uint64_t from, std::uint64_t now);

}  // namespace shorewatch::ctl
