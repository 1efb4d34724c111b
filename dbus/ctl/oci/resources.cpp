#include "dbus/ctl/oci/resources.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>

namespace shorewatch::ctl {

namespace {

constexpr double fewest_cpus = 0.01;  // The kernel's least quota is a millisecond.
constexpr double most_cpus = 10'000;

// The power of 1024 that a unit stands for.
std::optional<unsigned> power_of(char unit) {
    constexpr std::string_view lower = "bkmgt";
    constexpr std::string_view upper = "BKMGT";
    const auto found = std::min(lower.find(unit), upper.find(unit));
    return found == std::string_view::npos ? std::nullopt : std::optional(static_cast<unsigned>(found));
}

// Decimal digits and nothing else.
std::optional<std::uint64_t> number(std::string_view text) {
    std::uint64_t value = 0;
    const char* const end = text.data() + text.size();
    const auto [stopped, error] = std::from_chars(text.data(), end, value);
    return error == std::errc{} && stopped == end ? std::optional(value) : std::nullopt;
}

// "3" or "0-2"
bool is_cpu_range(std::string_view text) {
    const std::size_t dash = text.find('-');
    const auto first = number(text.substr(0, dash));
    if (dash == std::string_view::npos) return first.has_value();
    const auto last = number(text.substr(dash + 1));
    return first && last && *first <= *last;
}

}  // namespace

bool Resources::empty() const {
    return !memory && !memory_reservation && !memory_and_swap && !cpu_quota && !cpu_shares && !cpus && !pids;
}

std::optional<std::int64_t> byte_count(std::string_view text) {
    unsigned power = 0;
    if (!text.empty() && !(text.back() >= '0' && text.back() <= '9')) {
        const auto unit = power_of(text.back());
        if (!unit) return std::nullopt;
        power = *unit;
        text.remove_suffix(1);
    }
    const auto count = number(text);
    constexpr auto most = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
    if (!count || *count == 0 || *count > most >> (10 * power)) return std::nullopt;
    return static_cast<std::int64_t>(*count << (10 * power));
}

std::optional<std::int64_t> cpu_quota(std::string_view text) {
    double cpus = 0;
    const char* const end = text.data() + text.size();
    const auto [stopped, error] = std::from_chars(text.data(), end, cpus, std::chars_format::fixed);
    if (error != std::errc{} || stopped != end || !(cpus >= fewest_cpus && cpus <= most_cpus))
        return std::nullopt;
    return std::llround(cpus * static_cast<double>(cpu_period));
}

bool is_cpu_list(std::string_view text) {
    while (true) {
        const std::size_t comma = text.find(',');
        if (!is_cpu_range(text.substr(0, comma))) return false;
        if (comma == std::string_view::npos) return true;
        text.remove_prefix(comma + 1);
    }
}

void write_resources(JsonText& json, const Resources& resources) {
    if (resources.memory || resources.memory_reservation || resources.memory_and_swap) {
        json.object_member("memory", [&] {
            json.member("limit", resources.memory);
            json.member("reservation", resources.memory_reservation);
            json.member("swap", resources.memory_and_swap);
        });
    }
    if (resources.cpu_quota || resources.cpu_shares || resources.cpus) {
        json.object_member("cpu", [&] {
            json.member("shares", resources.cpu_shares);
            json.member("quota", resources.cpu_quota);
            if (resources.cpu_quota) json.member("period", cpu_period);
            json.member("cpus", resources.cpus);
        });
    }
    if (resources.pids) {
        json.object_member("pids", [&] { json.member("limit", *resources.pids); });
    }
}

std::string resources_json(const Resources& resources) {
    JsonText json;
    json.object([&] { write_resources(json, resources); });
    return json.text();
}

}  // namespace shorewatch::ctl
