#include "dbus/ctl/process_place.h"

#include <algorithm>
#include <charconv>
#include <fstream>
#include <sstream>

#include <fmt/format.h>

namespace shorewatch::ctl {

namespace {

// Processes come and go while they are read, so that a chain could go in circles.
constexpr std::size_t longest_chain = 1000;

std::optional<std::uint32_t> leading_number(std::string_view text) {
    std::uint32_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc{} || end == text.data() + text.size() || *end != ' ') return std::nullopt;
    return value;
}

}  // namespace

bool ProcessPlace::entered() const {
    return container && !chain.empty() && chain.front().pid != container->pid;
}

std::optional<ProcessLink> parse_stat(std::string_view text) {
    // "4711 (name) S 4242 …", where the name may hold spaces and parentheses.
    const std::size_t open = text.find('(');
    const std::size_t close = text.rfind(')');
    if (open == std::string_view::npos || close == std::string_view::npos || close < open)
        return std::nullopt;
    const std::string_view rest = text.substr(close + 1);  // " S 4242 …"
    const auto pid = leading_number(text);
    const auto parent = rest.size() > 3 ? leading_number(rest.substr(3)) : std::nullopt;
    if (!pid || !parent) return std::nullopt;
    return ProcessLink{*pid, *parent, std::string(text.substr(open + 1, close - open - 1))};
}

std::optional<ProcessLink> read_process(std::uint32_t pid) {
    std::ifstream file(fmt::format("/proc/{}/stat", pid), std::ios::binary);
    std::stringstream text;
    text << file.rdbuf();
    return parse_stat(text.str());
}

std::vector<ProcessLink> process_chain(std::uint32_t pid,
                                       const std::function<std::optional<ProcessLink>(std::uint32_t)>& read,
                                       const std::function<bool(std::uint32_t)>& inside) {
    std::vector<ProcessLink> chain;
    for (std::uint32_t next = pid; chain.size() < longest_chain;) {
        auto link = read(next);
        if (!link) break;
        next = link->parent;
        chain.push_back(std::move(*link));
        if (next == 0 || !inside(next)) break;
    }
    std::reverse(chain.begin(), chain.end());
    return chain;
}

}  // namespace shorewatch::ctl
