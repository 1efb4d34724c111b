#include "daemon/processes/process_index.h"

#include <functional>

namespace shorewatch {

namespace {

template <typename Map, typename Key>
void erase(Map& map, const Key& key, const ProcessIndex::Entry& entry) {
    const auto found = map.find(key);
    if (found == map.end()) return;
    std::erase(found->second, entry);
    if (found->second.empty()) map.erase(found);
}

template <typename Map, typename Key>
std::vector<ProcessIndex::Entry> entries(const Map& map, const Key& key) {
    const auto found = map.find(key);
    return found != map.end() ? found->second : std::vector<ProcessIndex::Entry>();
}

}  // namespace

void ProcessIndex::add(const Entry& entry, const InitProcess& process) {
    const InitProcess::Facts& facts = process.facts();
    if (facts.cgroup) by_cgroup_[facts.cgroup->hierarchy][facts.cgroup->path].push_back(entry);
    if (facts.pid_namespace != 0) by_namespace_[facts.pid_namespace].push_back(entry);
    if (!facts.unit.empty()) by_unit_[facts.unit].push_back(entry);
    by_pid_[process.pid()].push_back(entry);
}

void ProcessIndex::remove(const Entry& entry, const InitProcess& process) {
    const InitProcess::Facts& facts = process.facts();
    if (facts.cgroup) {
        const auto hierarchy = by_cgroup_.find(facts.cgroup->hierarchy);
        if (hierarchy != by_cgroup_.end()) {
            erase(hierarchy->second, facts.cgroup->path, entry);
            if (hierarchy->second.empty()) by_cgroup_.erase(hierarchy);
        }
    }
    erase(by_namespace_, facts.pid_namespace, entry);
    erase(by_unit_, facts.unit, entry);
    erase(by_pid_, process.pid(), entry);
}

std::vector<ProcessIndex::Entry> ProcessIndex::by_pid(std::uint32_t pid) const {
    return entries(by_pid_, pid);
}

void ProcessIndex::look_up(const ByText& paths, std::string_view path, const std::vector<Entry>*& best,
                           std::size_t& longest) {
    while (path.size() > longest) {
        if (const auto found = paths.find(path); found != paths.end()) {
            best = &found->second;
            longest = path.size();
            return;
        }
        const std::size_t slash = path.rfind('/');
        if (slash == std::string_view::npos) return;
        path = path.substr(0, slash);
    }
}

std::vector<ProcessIndex::Entry> ProcessIndex::by_cgroups(const std::vector<Cgroup>& cgroups) const {
    const std::vector<Entry>* best = nullptr;
    std::size_t longest = 0;
    for (const Cgroup& cgroup : cgroups) {
        const auto hierarchy = by_cgroup_.find(cgroup.hierarchy);
        if (hierarchy != by_cgroup_.end()) look_up(hierarchy->second, cgroup.path, best, longest);
    }
    return best != nullptr ? *best : std::vector<Entry>();
}

std::vector<ProcessIndex::Entry> ProcessIndex::by_cgroup_path(std::string_view path) const {
    const std::vector<Entry>* best = nullptr;
    std::size_t longest = 0;
    for (const auto& [hierarchy, paths] : by_cgroup_)
        look_up(paths, path, best, longest);
    return best != nullptr ? *best : std::vector<Entry>();
}

std::vector<ProcessIndex::Entry> ProcessIndex::by_pid_namespace(std::uint64_t inode) const {
    return entries(by_namespace_, inode);
}

std::vector<ProcessIndex::Entry> ProcessIndex::by_unit(std::string_view unit) const {
    return entries(by_unit_, unit);
}

}  // namespace shorewatch
