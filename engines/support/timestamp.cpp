#include "engines/support/timestamp.h"

#include <charconv>
#include <cstdio>

namespace shorewatch {

namespace {

// Takes the fields of a timestamp off the front of a text; after the first that does not fit, ok stays false.
struct Scanner {
    std::string_view rest;
    bool ok = true;

    int number(std::size_t digits) {
        int value = 0;
        if (ok = ok && rest.size() >= digits; !ok) return 0;
        const char* end = rest.data() + digits;
        const auto [stopped, error] = std::from_chars(rest.data(), end, value);
        ok = error == std::errc{} && stopped == end && rest.front() != '-';
        rest.remove_prefix(digits);
        return value;
    }

    bool take(char c) {
        if (!ok || rest.empty() || rest.front() != c) return false;
        rest.remove_prefix(1);
        return true;
    }

    void expect(char c) { ok = take(c) && ok; }

    std::chrono::nanoseconds fraction() {
        std::int64_t value = 0;
        std::int64_t unit = 1'000'000'000;
        for (; !rest.empty() && rest.front() >= '0' && rest.front() <= '9'; rest.remove_prefix(1)) {
            if (unit == 1) continue;  // Finer than a nanosecond: cut off.
            unit /= 10;
            value += (rest.front() - '0') * unit;
        }
        return std::chrono::nanoseconds(value);
    }

    std::chrono::minutes offset() {
        if (take('Z') || take('z')) return {};
        const bool west = take('-');
        if (!west) expect('+');
        const int hours = number(2);
        expect(':');
        const int minutes = number(2);
        ok = ok && hours < 24 && minutes < 60;
        const std::chrono::minutes value{hours * 60 + minutes};
        return west ? -value : value;
    }
};

// The years that nanoseconds in 64 bits hold with room to spare.
constexpr RealTime end_of_time{std::chrono::sys_days{std::chrono::year{2200} / 1 / 1}};

}  // namespace

std::optional<RealTime> from_unix_seconds(std::int64_t seconds) {
    const auto end = std::chrono::floor<std::chrono::seconds>(end_of_time).time_since_epoch().count();
    if (seconds <= 0 || seconds >= end) return std::nullopt;
    return RealTime{std::chrono::seconds(seconds)};
}

std::optional<RealTime> parse_rfc3339(std::string_view text) {
    Scanner scan{text};
    const std::chrono::year year{scan.number(4)};
    scan.expect('-');
    const std::chrono::month month{static_cast<unsigned>(scan.number(2))};
    scan.expect('-');
    const std::chrono::day day{static_cast<unsigned>(scan.number(2))};
    if (!scan.take('T') && !scan.take('t')) scan.expect(' ');
    const int hour = scan.number(2);
    scan.expect(':');
    const int minute = scan.number(2);
    scan.expect(':');
    const int second = scan.number(2);
    const auto fraction = scan.take('.') ? scan.fraction() : std::chrono::nanoseconds{};
    const auto offset = scan.offset();
    const std::chrono::year_month_day date{year, month, day};
    const bool in_range = date.ok() && hour < 24 && minute < 60 && second <= 60;
    const bool sensible = year >= std::chrono::year{1969} && year <= std::chrono::year{2200};
    if (!scan.ok || !scan.rest.empty() || !in_range || !sensible) return std::nullopt;
    const RealTime time = RealTime{std::chrono::sys_days{date}} + std::chrono::hours{hour} +
                          std::chrono::minutes{minute} + std::chrono::seconds{second} + fraction - offset;
    // By its offset, a time may be in another year than it is written with.
    return time >= RealTime{} && time < end_of_time ? std::optional(time) : std::nullopt;
}

std::string to_rfc3339(RealTime time) {
    const auto days = std::chrono::floor<std::chrono::days>(time);
    const std::chrono::year_month_day date{days};
    const std::chrono::hh_mm_ss clock{time - days};
    char buffer[64];
    (void)std::snprintf(
        buffer, sizeof buffer, "%04d-%02u-%02uT%02lld:%02lld:%02lld.%09lldZ", static_cast<int>(date.year()),
        static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
        static_cast<long long>(clock.hours().count()), static_cast<long long>(clock.minutes().count()),
        static_cast<long long>(clock.seconds().count()), static_cast<long long>(clock.subseconds().count()));
    return buffer;
}

std::string to_decimal_seconds(RealTime time) {
    const auto seconds = std::chrono::floor<std::chrono::seconds>(time);
    const auto rest = static_cast<long long>((time - seconds).count());
    char buffer[40];
    (void)std::snprintf(buffer, sizeof buffer, "%lld.%09lld",
                        static_cast<long long>(seconds.time_since_epoch().count()), rest);
    return buffer;
}

std::uint64_t to_usec(std::optional<RealTime> time) {
    if (!time || time->time_since_epoch().count() < 0) return 0;
    return static_cast<std::uint64_t>(
        std::chrono::duration_cast<std::chrono::microseconds>(time->time_since_epoch()).count());
}

}  // namespace shorewatch
