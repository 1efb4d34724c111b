#include "engines/containerd/namespaces.h"

#include <algorithm>
#include <array>

namespace shorewatch::containerd {

namespace {

constexpr std::array<std::string_view, 2> left_out{"moby", "k8s.io"};

constexpr std::string_view followed =
    R"(topic~="^/(tasks/(start|exit|paused|resumed|oom)|containers/update)$")";

}  // namespace

bool Namespaces::watches(std::string_view name) const {
    if (names_.empty()) return std::ranges::find(left_out, name) == left_out.end();
    return std::ranges::find(names_, name) != names_.end();
}

// Within a filter a comma means "and"; one filter or another has to match.
std::vector<std::string> Namespaces::filters(const std::string& topic) const {
    std::vector<std::string> filters{"topic==\"" + topic + "\""};
    for (const std::string& name : names_)
        filters.push_back("namespace==\"" + name + "\"," + std::string(followed));
    if (!names_.empty()) return filters;
    std::string all_others;
    for (const std::string_view name : left_out)
        all_others += "namespace!=\"" + std::string(name) + "\",";
    filters.push_back(all_others + std::string(followed));
    return filters;
}

}  // namespace shorewatch::containerd
