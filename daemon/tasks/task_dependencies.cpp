// What a task's containers wait for, of each other.
#include <algorithm>

#include "daemon/tasks/task_actor.h"

namespace shorewatch {

TaskActor::Outlook TaskActor::outlook_of(const ContainerDependency& dependency) const {
    const TaskContainerRecord& other = record_.containers[dependency.container];
    const bool over = other.known >= TaskStatus::stopped;
    bool met = false;
    switch (dependency.condition) {
        case ContainerDependency::Condition::created:
            met = other.known >= TaskStatus::created && !other.id.empty();
            break;
        case ContainerDependency::Condition::running:
            met = other.known == TaskStatus::running;
            break;
        case ContainerDependency::Condition::ended:
            met = over && !other.given_up;
            break;
        case ContainerDependency::Condition::success:
            met = over && !other.given_up && other.exit_code == 0;
            break;
    }
    if (met) return Outlook::met;
    return over || other.given_up ? Outlook::never : Outlook::open;
}

// The first that does not let it move; null: none.
const ContainerDependency* TaskActor::blocking(std::size_t index) const {
    const std::vector<ContainerDependency>& all = definition(index).dependencies;
    const auto never = std::ranges::find(all, Outlook::never,
                                         [this](const ContainerDependency& one) { return outlook_of(one); });
    if (never != all.end()) return &*never;
    const auto open = std::ranges::find_if(
        all, [this](const ContainerDependency& one) { return outlook_of(one) != Outlook::met; });
    return open == all.end() ? nullptr : &*open;
}

// Will it never move again, by what is known now? There are no circles.
bool TaskActor::is_hopeless(std::size_t index) const {
    return std::ranges::any_of(definition(index).dependencies, [this](const ContainerDependency& one) {
        const Outlook outlook = outlook_of(one);
        const bool open = outlook == Outlook::open;
        return outlook == Outlook::never ||
               (open && record_.containers[one.container].known < TaskStatus::running &&
                is_hopeless(one.container));
    });
}

std::string TaskActor::describe(const ContainerDependency& dependency) const {
    std::string container = "container " + definition(dependency.container).name;
    switch (dependency.condition) {
        case ContainerDependency::Condition::created:
            return container + " to be created";
        case ContainerDependency::Condition::running:
            return container + " to be running";
        case ContainerDependency::Condition::ended:
            return container + " to have ended";
        case ContainerDependency::Condition::success:
            return container + " to have ended with exit code 0";
    }
    return container;
}

}  // namespace shorewatch
