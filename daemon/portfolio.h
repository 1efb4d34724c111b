// The portfolio of one engine: composer projects, and the alive containers in them.
//
// Projects come and go with their containers; the zero project, "", is of containers that belong to none. Not
// thread-safe: each portfolio belongs to one thread. Containers are immutable and may outlive their place in
// it.
#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "engines/container.h"

namespace shorewatch {

// A composer project: the alive containers that carry its name. Its name never changes.
class ComposerProject {
  public:
    explicit ComposerProject(std::string name) : name_(std::move(name)) {}

    [[nodiscard]] const std::string& name() const noexcept { return name_; }
    // By id first, then by name; null when there is none. Of containers with equal names, the one with the
    // least id.
    [[nodiscard]] ContainerPtr container(std::string_view name_or_id) const;
    // Sorted by name, then id.
    [[nodiscard]] std::vector<std::string> container_names() const;
    [[nodiscard]] std::vector<ContainerPtr> containers() const;
    [[nodiscard]] std::size_t size() const noexcept { return containers_.size(); }
    // "project 'shop' with containers 'db', 'web'"
    [[nodiscard]] std::string to_string() const;

  private:
    friend class Portfolio;

    std::string name_;
    // By id. The keys are views into the containers that are the values, alive as long as their entry is.
    std::map<std::string_view, ContainerPtr> containers_;
};

class Portfolio {
  public:
    // Adds a container, and its project with the first one. One with the same id is replaced, wherever it
    // was.
    void add(ContainerPtr container);

    // Removes and returns a container by name or id from a project, or from wherever it is; null when there
    // is none. The project goes with its last container.
    ContainerPtr remove(std::string_view name_or_id, std::string_view project);
    ContainerPtr remove(std::string_view name_or_id);
    ContainerPtr remove_id(std::string_view id);

    // Puts a paused or unpaused copy in the container's place and returns it; null when there is none.
    ContainerPtr set_paused(std::string_view name_or_id, bool paused);

    // By full id; null when there is none.
    [[nodiscard]] ContainerPtr find(std::string_view id) const;
    // By id, then by name, in whichever project; null when there is none.
    [[nodiscard]] ContainerPtr container(std::string_view name_or_id) const;
    [[nodiscard]] std::size_t container_total() const noexcept { return by_id_.size(); }
    // Of all projects, sorted; the zero project is not among them.
    [[nodiscard]] std::vector<std::string> names() const;
    // "" is the zero project. Null when no alive container belongs to it; good until the next change.
    [[nodiscard]] const ComposerProject* project(std::string_view name) const;

    // In no particular order.
    void for_each(const std::function<void(const ContainerPtr&)>& visit) const;

  private:
    ContainerPtr take(ContainerPtr container);
    void leave_project(const Container& container);

    // Keyed as in ComposerProject.
    std::unordered_map<std::string_view, ContainerPtr> by_id_;
    std::map<std::string, ComposerProject, std::less<>> projects_;
};

}  // namespace shorewatch
