#include "engines/containerd/namespaces.h"

#include <algorithm>
#include <utility>

namespace shorewatch::containerd {

namespace {

constexpr std::string_view followed =
    R"(topic~="^/(tasks/(start|exit|paused|resumed|oom)|containers/(update|delete))$")";

constexpr std::string_view all_followed =
    R"(topic~="^/(tasks/(create|start|exit|delete|paused|resumed|oom|exec-added|exec-started)|containers/(update|delete))$")";

}  // namespace

Namespaces::Namespaces(std::vector<std::string> names, bool kubernetes, bool runtime)
    : names_(std::move(names)), followed_(runtime ? all_followed : followed) {
    if (!names_.empty()) return;
    left_out_.emplace_back("moby");
    if (!kubernetes) left_out_.emplace_back("k8s.io");
}

bool Namespaces::watches(std::string_view name) const {
    if (names_.empty()) return std::ranges::find(left_out_, name) == left_out_.end();
    return std::ranges::find(names_, name) != names_.end();
}

// Within a filter a comma means "and"; one filter or another has to match.
std::vector<std::string> Namespaces::filters(const std::string& topic) const {
    std::vector<std::string> filters{"topic==\"" + topic + "\""};
    for (const std::string& name : names_)
        filters.push_back("namespace==\"" + name + "\"," + std::string(followed_));
    if (!names_.empty()) return filters;
    std::string all_others;
    for (const std::string_view name : left_out_)
        all_others += "namespace!=\"" + std::string(name) + "\",";
    filters.push_back(all_others + std::string(followed_));
    return filters;
}

}  // namespace shorewatch::containerd
