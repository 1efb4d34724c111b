#include "daemon/portfolio.h"

#include <algorithm>
#include <tuple>
#include <utility>

namespace shorewatch {

namespace {

bool by_name(const ContainerPtr& a, const ContainerPtr& b) {
    return std::tie(a->name, a->id) < std::tie(b->name, b->id);
}

// The container with that id, else the first, by id, with that name.
template <typename Containers>
ContainerPtr find_in(const Containers& containers, std::string_view name_or_id) {
    if (const auto found = containers.find(name_or_id); found != containers.end()) return found->second;
    ContainerPtr result;
    for (const auto& [id, container] : containers) {
        if (container->name == name_or_id && (!result || id < result->id)) result = container;
    }
    return result;
}

}  // namespace

ContainerPtr ComposerProject::container(std::string_view name_or_id) const {
    return find_in(containers_, name_or_id);
}

std::vector<std::string> ComposerProject::container_names() const {
    std::vector<std::string> names;
    names.reserve(containers_.size());
    for (const ContainerPtr& container : containers())
        names.push_back(container->name);
    return names;
}

std::vector<ContainerPtr> ComposerProject::containers() const {
    std::vector<ContainerPtr> result;
    result.reserve(containers_.size());
    for (const auto& [id, container] : containers_)
        result.push_back(container);
    std::ranges::sort(result, by_name);
    return result;
}

std::string ComposerProject::to_string() const {
    std::string text = name_.empty() ? "zero project" : "project '" + name_ + "'";
    if (containers_.empty()) return text + " without containers";
    text += containers_.size() == 1 ? " with container " : " with containers ";
    const char* separator = "";
    for (const std::string& name : container_names()) {
        text += std::exchange(separator, ", ");
        text += "'" + name + "'";
    }
    return text;
}

void Portfolio::add(ContainerPtr container) {
    // Made first, so that replacing the only container of a project does not make the project come and go.
    ComposerProject& home = projects_.try_emplace(container->project, container->project).first->second;
    const ContainerPtr old = find(container->id);
    if (old) {
        by_id_.erase(old->id);
        home.containers_.erase(old->id);
        if (old->project != container->project) leave_project(*old);
    }
    const std::string_view id = container->id;
    home.containers_.emplace(id, container);
    by_id_.emplace(id, std::move(container));
}

ContainerPtr Portfolio::remove(std::string_view name_or_id, std::string_view project) {
    const ComposerProject* home = this->project(project);
    return home ? take(home->container(name_or_id)) : nullptr;
}

ContainerPtr Portfolio::remove(std::string_view name_or_id) {
    return take(container(name_or_id));
}

ContainerPtr Portfolio::remove_id(std::string_view id) {
    return take(find(id));
}

ContainerPtr Portfolio::take(ContainerPtr container) {
    if (!container) return nullptr;
    by_id_.erase(container->id);
    leave_project(*container);
    return container;
}

void Portfolio::leave_project(const Container& container) {
    const auto home = projects_.find(container.project);
    home->second.containers_.erase(container.id);
    if (home->second.containers_.empty()) projects_.erase(home);
}

ContainerPtr Portfolio::set_paused(std::string_view name_or_id, bool paused) {
    const ContainerPtr container = this->container(name_or_id);
    if (!container) return nullptr;
    ContainerPtr changed = container->with_paused(paused);
    add(changed);
    return changed;
}

ContainerPtr Portfolio::find(std::string_view id) const {
    const auto found = by_id_.find(id);
    return found != by_id_.end() ? found->second : nullptr;
}

ContainerPtr Portfolio::container(std::string_view name_or_id) const {
    return find_in(by_id_, name_or_id);
}

std::vector<std::string> Portfolio::names() const {
    std::vector<std::string> names;
    for (const auto& [name, project] : projects_) {
        if (!name.empty()) names.push_back(name);
    }
    return names;
}

const ComposerProject* Portfolio::project(std::string_view name) const {
    const auto found = projects_.find(name);
    return found != projects_.end() ? &found->second : nullptr;
}

void Portfolio::for_each(const std::function<void(const ContainerPtr&)>& visit) const {
    for (const auto& [id, container] : by_id_)
        visit(container);
}

}  // namespace shorewatch
