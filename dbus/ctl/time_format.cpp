#include "dbus/ctl/time_format.h"

#include <ctime>

#include <fmt/format.h>

#include "engines/support/timestamp.h"

namespace shorewatch::ctl {

namespace {

constexpr std::uint64_t usec_per_second = 1'000'000;

// False for times that the C library has no calendar for.
bool to_local(std::uint64_t usec, std::tm& fields) {
    const auto seconds = static_cast<std::time_t>(usec / usec_per_second);
    return usec != 0 && localtime_r(&seconds, &fields) != nullptr;
}

std::string clock_of(const std::tm& fields, std::uint64_t usec) {
    return fmt::format("{:02}:{:02}:{:02}.{:03}", fields.tm_hour, fields.tm_min, fields.tm_sec,
                       usec % usec_per_second / 1000);
}

}  // namespace

std::uint64_t now_usec() {
    return to_usec(real_time_now());
}

std::string local_time(std::uint64_t usec) {
    std::tm fields{};
    return to_local(usec, fields) ? clock_of(fields, usec) : "-";
}

std::string local_date_time(std::uint64_t usec) {
    std::tm fields{};
    if (!to_local(usec, fields)) return "-";
    return fmt::format("{:04}-{:02}-{:02} {}", fields.tm_year + 1900, fields.tm_mon + 1, fields.tm_mday,
                       clock_of(fields, usec));
}

std::string rough_duration(std::uint64_t usec) {
    const std::uint64_t seconds = usec / usec_per_second;
    const std::uint64_t minutes = seconds / 60;
    const std::uint64_t hours = minutes / 60;
    const std::uint64_t days = hours / 24;
    if (minutes == 0) return fmt::format("{}s", seconds);
    if (hours == 0) return fmt::format("{}m{}s", minutes, seconds % 60);
    if (days == 0) return fmt::format("{}h{}m", hours, minutes % 60);
    if (days < 100) return fmt::format("{}d{}h", days, hours % 24);
    return fmt::format("{}d", days);
}

std::string fine_duration(std::uint64_t usec) {
    if (usec >= 10 * usec_per_second) return rough_duration(usec);
    return fmt::format("{}.{:03}s", usec / usec_per_second, usec % usec_per_second / 1000);
}

std::string age(std::uint64_t from, std::uint64_t now) {
    if (from == 0) return "-";
    return rough_duration(now > from ? now - from : 0);
}

}  // namespace shorewatch::ctl
