#include "dbus/ctl/top/control_groups.h"

#include <charconv>
#include <fstream>
#include <sstream>
#include <utility>

namespace shorewatch::ctl {

namespace {

namespace fs = std::filesystem;

// From this length on an id is taken for one wherever it stands in the name of a control group.
constexpr std::size_t shortest_telling = 12;

std::optional<std::string> text_of(const fs::path& file) {
    std::ifstream stream(file, std::ios::binary);
    std::ostringstream text;
    if (!stream || !(text << stream.rdbuf())) return std::nullopt;
    return std::move(text).str();
}

std::optional<std::uint64_t> number_in(std::string_view text) {
    std::uint64_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc{} || end == text.data()) return std::nullopt;
    return value;
}

std::optional<std::uint64_t> number_of(const fs::path& file) {
    const auto text = text_of(file);
    return text ? number_in(*text) : std::nullopt;
}

// Of a line "key value".
std::optional<std::uint64_t> number_of(const fs::path& file, std::string_view key) {
    std::istringstream lines(text_of(file).value_or(""));
    for (std::string line; std::getline(lines, line);) {
        if (line.starts_with(key) && line.size() > key.size() && line[key.size()] == ' ')
            return number_in(std::string_view(line).substr(key.size() + 1));
    }
    return std::nullopt;
}

// The container's own group, above the ones that it may have made itself.
std::string own_path(const std::string& path, const Measured& of) {
    if (!of.cgroup.empty() && path.starts_with(of.cgroup) &&
        (path.size() == of.cgroup.size() || path[of.cgroup.size()] == '/'))
        return of.cgroup;
    const std::string id = of.id.substr(of.id.rfind('/') + 1);
    const std::size_t found = id.size() < shortest_telling ? std::string::npos : path.find(id);
    return found == std::string::npos ? path : path.substr(0, path.find('/', found));
}

// By controller; "" is version 2.
std::map<std::string, std::string> groups_of(const std::string& text, const Measured& of) {
    std::map<std::string, std::string> groups;
    std::istringstream lines(text);
    for (std::string line; std::getline(lines, line);) {
        const std::size_t first = line.find(':');
        const std::size_t second = first == std::string::npos ? first : line.find(':', first + 1);
        if (second == std::string::npos) continue;
        const std::string path = own_path(line.substr(second + 1), of);
        // The root is of the whole machine, and what has ".." in it is outside of what we see.
        if (path.size() <= 1 || path.find("/..") != std::string::npos) continue;
        std::istringstream controllers(line.substr(first + 1, second - first - 1));
        std::string controller;
        do {
            std::getline(controllers, controller, ',');
            groups[controller] = path;
        } while (!controllers.eof());
    }
    return groups;
}

// Without files that would be dropped before anybody is refused memory.
std::optional<std::uint64_t> memory_of(const fs::path& used, const fs::path& statistics,
                                       std::string_view key) {
    const auto all = number_of(used);
    if (!all) return std::nullopt;
    const std::uint64_t files = number_of(statistics, key).value_or(0);
    return *all > files ? *all - files : 0;
}

void read_version_1(const fs::path& mounts, const std::map<std::string, std::string>& groups, Usage& usage) {
    if (const auto cpu = groups.find("cpuacct"); cpu != groups.end()) {
        for (const char* const mount : {"cpuacct", "cpu,cpuacct"}) {
            if (!usage.cpu_time)
                usage.cpu_time = number_of(mounts / mount / cpu->second.substr(1) / "cpuacct.usage");
        }
    }
    if (const auto memory = groups.find("memory"); memory != groups.end()) {
        const fs::path folder = mounts / "memory" / memory->second.substr(1);
        usage.memory =
            memory_of(folder / "memory.usage_in_bytes", folder / "memory.stat", "total_inactive_file");
    }
}

void read_version_2(const fs::path& folder, Usage& usage) {
    if (!usage.cpu_time) {
        const auto microseconds = number_of(folder / "cpu.stat", "usage_usec");
        if (microseconds) usage.cpu_time = *microseconds * 1000;
    }
    if (!usage.memory)
        usage.memory = memory_of(folder / "memory.current", folder / "memory.stat", "inactive_file");
}

}  // namespace

ControlGroups::ControlGroups(fs::path proc, fs::path mounts)
    : proc_(std::move(proc)), mounts_(std::move(mounts)) {}

Usage ControlGroups::read(const Measured& of, std::uint64_t now) const {
    Usage usage;
    usage.read_at = now;
    const auto text = of.pid == 0 ? std::nullopt : text_of(proc_ / std::to_string(of.pid) / "cgroup");
    if (!text) return usage;
    const auto groups = groups_of(*text, of);
    read_version_1(mounts_, groups, usage);
    if (const auto unified = groups.find(""); unified != groups.end()) {
        // Beside version 1, as systemd mounts both, it has a folder of its own.
        for (const fs::path& mount : {mounts_, mounts_ / "unified"})
            read_version_2(mount / unified->second.substr(1), usage);
    }
    return usage;
}

void UsageSamples::take(const ControlGroups& groups, const std::map<std::string, Measured>& by,
                        std::uint64_t now) {
    std::map<std::string, Sample> samples;
    std::map<std::string, TopUsage> results;
    for (const auto& [path, of] : by) {
        const Sample sample{of.pid, groups.read(of, now)};
        TopUsage result{std::nullopt, sample.usage.memory};
        const auto before = before_.find(path);
        // Another pid is another run.
        if (before != before_.end() && before->second.pid == of.pid)
            result.cpu = cpu_percent(before->second.usage, sample.usage);
        samples.emplace(path, sample);
        results.emplace(path, result);
    }
    before_ = std::move(samples);
    usage_ = std::move(results);
}

}  // namespace shorewatch::ctl
