#include "daemon/tasks/dependency_graph.h"

#include <algorithm>

namespace shorewatch {

namespace {

using Condition = ContainerDependency::Condition;

enum class Mark { unseen, on_path, done };

// Depth first without recursion: path holds the way to where we are, next how many dependencies of each were
// looked at.
std::optional<std::vector<std::size_t>> find_cycle_from(std::size_t start,
                                                        const std::vector<ContainerDefinition>& containers,
                                                        std::vector<Mark>& marks) {
    std::vector<std::size_t> path = {start};
    std::vector<std::size_t> next = {0};
    marks[start] = Mark::on_path;
    while (!path.empty()) {
        const std::vector<ContainerDependency>& dependencies = containers[path.back()].dependencies;
        if (next.back() == dependencies.size()) {
            marks[path.back()] = Mark::done;
            path.pop_back();
            next.pop_back();
            continue;
        }
        const std::size_t target = dependencies[next.back()++].container;
        if (marks[target] == Mark::on_path) {
            return std::vector<std::size_t>(std::ranges::find(path, target), path.end());
        }
        if (marks[target] == Mark::done) continue;
        marks[target] = Mark::on_path;
        path.push_back(target);
        next.push_back(0);
    }
    return std::nullopt;
}

bool is_end(Condition condition) {
    return condition == Condition::ended || condition == Condition::success;
}

}  // namespace

std::optional<std::vector<std::size_t>> find_cycle(const std::vector<ContainerDefinition>& containers) {
    std::vector<Mark> marks(containers.size(), Mark::unseen);
    for (std::size_t start = 0; start < containers.size(); ++start) {
        if (marks[start] != Mark::unseen) continue;
        if (auto cycle = find_cycle_from(start, containers, marks)) return cycle;
    }
    return std::nullopt;
}

std::optional<Contradiction> find_contradiction(const std::vector<ContainerDefinition>& containers) {
    for (std::size_t index = 0; index < containers.size(); ++index) {
        const std::vector<ContainerDependency>& dependencies = containers[index].dependencies;
        for (const ContainerDependency& one : dependencies) {
            const auto excludes = [&](const ContainerDependency& other) {
                return other.container == one.container && other.condition == Condition::running &&
                       is_end(one.condition);
            };
            if (std::ranges::any_of(dependencies, excludes)) return Contradiction{index, one.container};
        }
    }
    return std::nullopt;
}

}  // namespace shorewatch
