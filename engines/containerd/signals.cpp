#include "engines/containerd/signals.h"

#include <charconv>
#include <cstring>
#include <string>

namespace shorewatch::containerd {

namespace {

constexpr int last_plain_signal = 31;
constexpr int first_real_time_signal = 34;
constexpr int last_signal = 64;

std::optional<int> number_in(std::string_view text) {
    int number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (text.empty() || error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
    return number;
}

std::optional<int> valid(int number, int first) {
    return number >= first && number <= last_signal ? std::optional(number) : std::nullopt;
}

// "", "+3", "-1"
std::optional<int> offset_in(std::string_view text, char sign) {
    if (text.empty()) return 0;
    if (text.front() != sign) return std::nullopt;
    const auto number = number_in(text.substr(1));
    return number && *number >= 0 && *number <= last_signal ? number : std::nullopt;
}

}  // namespace

std::optional<int> signal_of(std::string_view name) {
    if (const auto number = number_in(name)) return valid(*number, 1);
    std::string upper;
    for (const char c : name)
        upper += c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
    std::string_view rest = upper;
    if (rest.starts_with("SIG")) rest.remove_prefix(3);
    for (int number = 1; number <= last_plain_signal; ++number) {
        const char* known = ::sigabbrev_np(number);
        if (known != nullptr && rest == known) return number;
    }
    if (rest.starts_with("RTMIN")) {
        const auto offset = offset_in(rest.substr(5), '+');
        return offset ? valid(first_real_time_signal + *offset, first_real_time_signal) : std::nullopt;
    }
    if (rest.starts_with("RTMAX")) {
        const auto offset = offset_in(rest.substr(5), '-');
        return offset ? valid(last_signal - *offset, first_real_time_signal) : std::nullopt;
    }
    return std::nullopt;
}

}  // namespace shorewatch::containerd
