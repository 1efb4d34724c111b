#include "daemon/processes/cgroups.h"

#include <algorithm>
#include <fstream>
#include <iterator>

namespace shorewatch {

namespace {

// From this length on an id is taken for one wherever it stands in a name; shorter ones, which containerd's
// users choose as they like, must be all of it.
constexpr std::size_t shortest_telling = 12;

// systemd in a container moves itself there.
constexpr std::string_view init_scope = "/init.scope";

std::string_view without_namespace(std::string_view id) {
    return id.substr(id.rfind('/') + 1);
}

bool names(std::string_view component, std::string_view id) {
    if (component == id) return true;
    return id.size() >= shortest_telling && component.find(id) != std::string_view::npos;
}

// path up to its last component with the id in it; empty: there is none.
std::string_view up_to_name(std::string_view path, std::string_view id) {
    std::size_t end = path.size();
    while (end > 0) {
        const std::size_t slash = path.rfind('/', end - 1);
        if (slash == std::string_view::npos) return {};
        if (names(path.substr(slash + 1, end - slash - 1), id)) return path.substr(0, end);
        end = slash;
    }
    return {};
}

// Those that say most first: v2's, then systemd's own, then the others as they come.
std::vector<const Cgroup*> by_rank(const std::vector<Cgroup>& cgroups) {
    const auto rank = [](const Cgroup* cgroup) {
        if (cgroup->hierarchy.empty()) return 0;
        return cgroup->hierarchy == "name=systemd" ? 1 : 2;
    };
    std::vector<const Cgroup*> ranked;
    ranked.reserve(cgroups.size());
    for (const Cgroup& cgroup : cgroups)
        ranked.push_back(&cgroup);
    std::ranges::stable_sort(ranked, {}, rank);
    return ranked;
}

}  // namespace

std::vector<Cgroup> parse_cgroups(std::string_view text) {
    std::vector<Cgroup> cgroups;
    while (!text.empty()) {
        const std::string_view line = text.substr(0, text.find('\n'));
        text.remove_prefix(std::min(text.size(), line.size() + 1));
        const std::size_t first = line.find(':');
        if (first == std::string_view::npos) continue;
        const std::size_t second = line.find(':', first + 1);
        if (second == std::string_view::npos || line.size() == second + 1 || line[second + 1] != '/')
            continue;
        // What the kernel adds when the cgroup was removed, under a process that is over.
        constexpr std::string_view deleted = " (deleted)";
        std::string_view path = line.substr(second + 1);
        if (path.ends_with(deleted)) path.remove_suffix(deleted.size());
        cgroups.push_back({std::string(line.substr(first + 1, second - first - 1)), std::string(path)});
    }
    return cgroups;
}

std::vector<Cgroup> cgroups_of(std::uint32_t pid) {
    std::ifstream file("/proc/" + std::to_string(pid) + "/cgroup");
    const std::string text{std::istreambuf_iterator<char>(file), {}};
    return parse_cgroups(text);
}

bool is_within(std::string_view path, std::string_view cgroup) {
    return path.starts_with(cgroup) &&
           (path.size() == cgroup.size() || cgroup.ends_with('/') || path[cgroup.size()] == '/');
}

std::optional<Cgroup> named_after(const std::vector<Cgroup>& cgroups, std::string_view id) {
    const std::string_view own_id = without_namespace(id);
    if (own_id.empty()) return std::nullopt;
    for (const Cgroup* cgroup : by_rank(cgroups)) {
        const std::string_view path = up_to_name(cgroup->path, own_id);
        if (!path.empty()) return Cgroup{cgroup->hierarchy, std::string(path)};
    }
    return std::nullopt;
}

std::optional<Cgroup> apart_from(const std::vector<Cgroup>& cgroups, const std::vector<Cgroup>& parent) {
    for (const Cgroup* cgroup : by_rank(cgroups)) {
        std::string_view path = cgroup->path;
        if (path.ends_with(init_scope)) path.remove_suffix(init_scope.size());
        const auto same = std::ranges::find(parent, cgroup->hierarchy, &Cgroup::hierarchy);
        // A path with ".." is outside of our cgroup namespace.
        if (path.size() <= 1 || path.starts_with("/..")) continue;
        if (same != parent.end() && !is_within(same->path, path))
            return Cgroup{cgroup->hierarchy, std::string(path)};
    }
    return std::nullopt;
}

}  // namespace shorewatch
