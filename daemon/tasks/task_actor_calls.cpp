// What a task asks of the engine for one of its containers, and what the answers come to.
#include <algorithm>
#include <utility>

#include "daemon/tasks/task_actor.h"
#include "engines/support/log.h"
#include "engines/support/text.h"

namespace shorewatch {

namespace {

using Kind = EngineError::Kind;

}  // namespace

std::uint64_t TaskActor::begin(std::size_t index, Step step) {
    Progress& progress = progress_[index];
    progress.step = step;
    progress.call = ++last_call_;
    looks_different();
    return progress.call;
}

// Is this answer still awaited? It is not any more then.
bool TaskActor::ends(std::size_t index, std::uint64_t call) {
    Progress& progress = progress_[index];
    if (progress.call != call) return false;
    progress.call = 0;
    progress.ticket = 0;
    progress.step = Step::rest;
    looks_different();
    wake();
    return true;
}

EngineCalls::Done TaskActor::answer_to(std::size_t index, Step step, Member member) {
    return [weak = weak_from_this(), index, call = begin(index, step),
            member](const std::optional<EngineError>& error) {
        const auto self = weak.lock();
        if (self && self->ends(index, call)) (self.get()->*member)(index, error);
    };
}

void TaskActor::abandon(std::size_t index) {
    Progress& progress = progress_[index];
    if (progress.ticket != 0) house_.pulls().forget(progress.ticket);
    progress.ticket = 0;
    progress.call = 0;
    progress.retry.reset();
    progress.step = Step::rest;
}

void TaskActor::later(std::size_t index, const std::string& trouble) {
    Progress& progress = progress_[index];
    progress.step = Step::pause;
    progress.trouble = valid_utf8(trouble, longest_reason);
    progress.pause = next_pause(progress.pause);
    progress.retry =
        house_.alarms().at(house_.surroundings().now() + progress.pause, [weak = weak_from_this(), index] {
            const auto self = weak.lock();
            if (!self) return;
            self->progress_[index].step = Step::rest;
            self->wake();
        });
    looks_different();
}

void TaskActor::fail(std::size_t index, const std::string& reason) {
    TaskContainerRecord& container = record_.containers[index];
    container.given_up = true;
    if (container.reason.empty()) container.reason = valid_utf8(reason, longest_reason);
    changed();
    wake();
}

void TaskActor::pull(std::size_t index) {
    const std::string& image = definition(index).image;
    const std::string registry = registry_of(image);
    const auto own = record_.credentials.find(registry);
    const std::optional<RegistryCredentials> credentials =
        own != record_.credentials.end() ? std::optional(own->second) : house_.credentials_of(registry);
    EngineCalls::Done answer = answer_to(index, Step::pull, &TaskActor::pulled);
    progress_[index].ticket = house_.pulls().pull(image, credentials, std::move(answer));
}

void TaskActor::pulled(std::size_t index, const std::optional<EngineError>& error) {
    Progress& progress = progress_[index];
    if (!error) {
        progress.pulled_again = std::exchange(progress.image_missing, false);
        return reach(index, TaskStatus::pulled);
    }
    if (is_outage(*error)) return later(index, error->message);
    // It will do if it is there already.
    progress.trouble = valid_utf8(error->message, longest_reason);
    house_.calls().find_image(definition(index).image,
                              answer_to(index, Step::look_for_image, &TaskActor::looked_for_image));
}

void TaskActor::looked_for_image(std::size_t index, const std::optional<EngineError>& error) {
    Progress& progress = progress_[index];
    const std::string image = definition(index).image;
    if (!error) {
        log::info("task " + printable(record_.arn) + ": " + image + " is there, so it is used though " +
                  progress.trouble);
        progress.pulled_again = std::exchange(progress.image_missing, false);
        return reach(index, TaskStatus::pulled);
    }
    if (is_outage(*error)) return later(index, error->message);
    std::string reason = progress.trouble;
    const std::string registry = registry_of(image);
    const bool lost = std::ranges::find(record_.registries, registry) != record_.registries.end() &&
                      !record_.credentials.contains(registry);
    if (lost) {
        reason +=
            "; the task's own credentials are not kept over a restart of the daemon: add the task "
            "again, or give the daemon a credentials file";
    }
    fail(index, reason);
}

// True: a volume has to be made first, and is under way.
bool TaskActor::make_volumes(std::size_t index) {
    const auto& mounts = definition(index).mounts;
    const auto missing = std::ranges::find_if(mounts, [this](const ContainerDefinition::MountPoint& mount) {
        return record_.definition->volumes[mount.volume].host_path.empty() && !volumes_[mount.volume].made;
    });
    if (missing == mounts.end()) return false;
    make_volume(index, missing->volume);
    return true;
}

void TaskActor::make_volume(std::size_t index, std::size_t volume) {
    volumes_[volume].may_exist = true;
    ++volumes_[volume].asked;
    const auto weak = weak_from_this();
    const std::string name = record_.engine_name(record_.definition->volumes[volume].name);
    const StringPairs labels = {{task_labels::arn, record_.arn}, {task_labels::owner, house_.owner()}};
    EngineCalls::Done answer = answer_to(index, Step::make_volume, &TaskActor::volume_made);
    const auto reply = [weak, volume, answer = std::move(answer)](const std::optional<EngineError>& error) {
        const auto self = weak.lock();
        if (self && !error) self->volumes_[volume].made = true;
        answer(error);
    };
    const auto ended = [weak, volume] {
        const auto self = weak.lock();
        if (!self) return;
        --self->volumes_[volume].asked;
        self->wake();
    };
    house_.calls().create_volume(name, labels, reply, ended);
}

void TaskActor::volume_made(std::size_t index, const std::optional<EngineError>& error) {
    if (!error) return;
    if (is_outage(*error)) return later(index, error->message);
    fail(index, error->message);
}

void TaskActor::create(std::size_t index) {
    progress_[index].may_exist = true;
    progress_[index].name_taken = false;
    const auto weak = weak_from_this();
    const auto answer = [weak, index, call = begin(index, Step::create)](const Result<std::string>& id) {
        const auto self = weak.lock();
        if (!self) return;
        if (self->ends(index, call)) return self->created(index, id);
        if (id) self->created_late(index, id.value());
    };
    const auto late = [weak, index, &house = house_](const std::string& id) {
        const auto self = weak.lock();
        if (!self) return house.found_left_over(id);
        self->created_late(index, id);
    };
    house_.calls().create(plan_of(record_, index, house_.owner()), answer, late);
}

void TaskActor::created(std::size_t index, const Result<std::string>& answer) {
    Progress& progress = progress_[index];
    if (answer) {
        identify(index, answer.value());
        return reach(index, TaskStatus::created);
    }
    const EngineError& error = answer.error();
    if (error.kind == Kind::no_image && !progress.pulled_again) {
        progress.may_exist = false;
        progress.image_missing = true;
        return;
    }
    // It may have been made all the same, now or at an earlier attempt: its name tells.
    progress.unsure = true;
    progress.trouble = valid_utf8(error.message, longest_reason);
    if (is_outage(error)) return later(index, error.message);
    progress.name_taken = error.kind == Kind::conflict;
    if (!progress.name_taken) fail(index, error.message);
}

void TaskActor::created_late(std::size_t index, const std::string& id) {
    TaskContainerRecord& container = record_.containers[index];
    if (over_ || container.known == TaskStatus::dead || (!container.id.empty() && container.id != id))
        return house_.found_left_over(id);
    if (container.id.empty()) identify(index, id);
    progress_[index].unsure = true;
    wake();
}

void TaskActor::start(std::size_t index) {
    house_.calls().start(record_.containers[index].id, answer_to(index, Step::start, &TaskActor::started));
}

void TaskActor::started(std::size_t index, const std::optional<EngineError>& error) {
    if (!error) {
        reach(index, TaskStatus::running);
        return ask_details(index);
    }
    if (error->kind == Kind::not_found) return vanish(index);
    progress_[index].unsure = true;
    if (is_outage(*error)) return later(index, error->message);
    fail(index, error->message);
}

void TaskActor::stop_container(std::size_t index) {
    const TaskContainerRecord& container = record_.containers[index];
    const bool again = container.known == TaskStatus::stopped;
    if (again) {
        log::warning("task " + printable(record_.arn) + ": container " + definition(index).name +
                     " was started though it had stopped; it is stopped again, once");
    }
    house_.calls().stop(
        container.id, definition(index).stop_timeout,
        answer_to(index, Step::stop, again ? &TaskActor::stopped_again : &TaskActor::stopped));
}

void TaskActor::stopped(std::size_t index, const std::optional<EngineError>& error) {
    Progress& progress = progress_[index];
    if (error && error->kind == Kind::not_found) return reach(index, TaskStatus::stopped);
    // How it ended, or whether it did.
    progress.unsure = true;
    progress.was_stopped = !error || error->kind == Kind::not_alive;
    if (!progress.was_stopped) later(index, error->message);
}

void TaskActor::stopped_again(std::size_t index, const std::optional<EngineError>& error) {
    progress_[index].runs_again = false;
    if (error && error->kind != Kind::not_alive && error->kind != Kind::not_found) {
        progress_[index].unsure = true;
        return later(index, error->message);
    }
    record_.containers[index].stopped_again = true;
    changed();
}

}  // namespace shorewatch
