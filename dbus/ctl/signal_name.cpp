#include "dbus/ctl/signal_name.h"

#include <algorithm>
#include <charconv>
#include <csignal>
#include <cstring>
#include <string>

namespace shorewatch::ctl {

namespace {

// Decimal digits and nothing else.
std::optional<int> number(std::string_view text) {
    int value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc{} || end != text.data() + text.size() || text.starts_with('-'))
        return std::nullopt;
    return value;
}

std::optional<int> valid(std::optional<int> signal) {
    return signal && *signal >= 1 && *signal <= SIGRTMAX ? signal : std::nullopt;
}

std::optional<int> real_time_signal(std::string_view name) {
    const bool from_least = name.starts_with("RTMIN");
    if (!from_least && !name.starts_with("RTMAX")) return std::nullopt;
    const int base = from_least ? SIGRTMIN : SIGRTMAX;
    name.remove_prefix(5);
    if (name.empty()) return base;
    const std::optional<int> distance = number(name.substr(1));
    if (!distance || *distance > SIGRTMAX - SIGRTMIN || name.front() != (from_least ? '+' : '-'))
        return std::nullopt;
    return from_least ? base + *distance : base - *distance;
}

}  // namespace

std::optional<int> signal_number(std::string_view name) {
    if (const auto given = number(name)) return valid(given);
    std::string upper(name);
    std::transform(upper.begin(), upper.end(), upper.begin(),
                   [](char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c; });
    std::string_view wanted = upper;
    if (wanted.starts_with("SIG")) wanted.remove_prefix(3);
    for (int signal = 1; signal < SIGRTMIN; ++signal) {
        const char* const known = sigabbrev_np(signal);
        if (known != nullptr && wanted == known) return signal;
    }
    return real_time_signal(wanted);
}

}  // namespace shorewatch::ctl
