// A task as it is shown, and what each of its containers waits for, in words.
#include <algorithm>

#include "daemon/tasks/task_actor.h"

namespace shorewatch {

TaskView TaskActor::view() const {
    TaskView view;
    view.arn = record_.arn;
    view.family = record_.definition->family;
    view.version = record_.definition->version;
    view.file = record_.file;
    view.desired = record_.desired;
    view.known = record_.known;
    view.reason = record_.reason;
    view.added = record_.added;
    view.stopped = record_.stopped;
    if (record_.stopped) {
        view.cleanup = record_.remove_now ? *record_.stopped : *record_.stopped + house_.cleanup_after();
    }
    for (std::size_t index = 0; index < record_.containers.size(); ++index)
        view.containers.push_back(view_of(index));
    return view;
}

TaskContainerView TaskActor::view_of(std::size_t index) const {
    const TaskContainerRecord& container = record_.containers[index];
    TaskContainerView view;
    view.name = definition(index).name;
    view.image = definition(index).image;
    view.engine_name = engine_name(index);
    view.id = container.id;
    view.essential = definition(index).essential;
    view.desired = wants_stop(index) ? std::max(record_.desired, TaskStatus::stopped) : record_.desired;
    view.known = container.known;
    view.waits_for = waits_for(index);
    view.reason = container.reason;
    view.exit_code = container.exit_code;
    view.oom_killed = container.oom_killed;
    view.started = container.started;
    view.finished = container.finished;
    view.ports = container.ports;
    return view;
}

std::string TaskActor::waits_for(std::size_t index) const {
    const TaskContainerRecord& container = record_.containers[index];
    const Progress& progress = progress_[index];
    const std::string& image = definition(index).image;
    switch (progress.step) {
        case Step::pull:
            return "the engine to pull " + image;
        case Step::look_for_image:
            return "the engine to say whether it has " + image + ": " + progress.trouble;
        case Step::make_volume:
            return "the engine to make its volumes";
        case Step::create:
            return "the engine to create it";
        case Step::start:
            return "the engine to start it";
        case Step::stop:
            return "the engine to stop it";
        case Step::inspect:
            return "the engine to say how it is";
        case Step::remove:
            return "the engine to remove it";
        case Step::pause:
            return "the next attempt, after: " + progress.trouble;
        case Step::rest:
            break;
    }
    const bool is_steady = container.known == TaskStatus::running && !wants_stop(index);
    if (is_steady && !progress.unsure) return "";
    if (container.known >= TaskStatus::stopped) return waits_for_cleanup(index);
    if (!house_.engine_is_up()) return house_.engine_awaited();
    return is_steady ? "the engine to say how it is" : waits_for_start(index);
}

std::string TaskActor::waits_for_cleanup(std::size_t index) const {
    if (record_.containers[index].known == TaskStatus::dead) {
        const bool volumes = record_.known == TaskStatus::dead &&
                             std::ranges::find(volumes_, true, &VolumeProgress::may_exist) != volumes_.end();
        if (!volumes) return "";
        if (std::ranges::any_of(volumes_, [](const VolumeProgress& volume) { return volume.asked > 0; }))
            return "the engine to answer whether it has made the task's volumes";
        return volume_trouble_.empty() ? "the engine to remove the task's volumes"
                                       : "the engine to remove the task's volumes: " + volume_trouble_;
    }
    if (record_.desired == TaskStatus::dead || record_.remove_now) {
        if (record_.known < TaskStatus::stopped) return "the other containers to stop";
        if (!house_.engine_is_up()) return house_.engine_awaited();
        return house_.is_kept(to_be_kept_) ? "the engine to remove it" : "its removal to be on disk";
    }
    return "";
}

std::string TaskActor::waits_for_start(std::size_t index) const {
    if (wants_stop(index)) return "the engine to stop it";
    if (const ContainerDependency* dependency = blocking(index)) return describe(*dependency);
    if (record_.containers[index].known == TaskStatus::pulled && !house_.is_kept(to_be_kept_))
        return "its name to be on disk";
    return "its turn";
}

}  // namespace shorewatch
