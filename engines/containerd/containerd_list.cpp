#include "engines/containerd/containerd_list.h"

#include <utility>

#include "engines/error_text.h"
#include "engines/support/log.h"

namespace shorewatch::containerd {

namespace {

constexpr std::string_view listing = "list containers";

}  // namespace

void ContainerdClient::Listing::start() {
    if (const auto& named = session_.namespaces().named(); !named.empty()) return ask_all(named);
    session_.call(request_to("/containerd.services.namespaces.v1.Namespaces/List", "list namespaces", {}, {},
                             session_.options().list_deadline),
                  [self = shared_from_this()](const grpc::Answer& answer) { self->take_namespaces(answer); });
}

void ContainerdClient::Listing::take_namespaces(const grpc::Answer& answer) {
    if (!answer) return reply_.give(answer.error.of_no_container());
    auto names = decode_namespaces(answer.message);
    if (!names) return fail("the list of namespaces makes no sense");
    std::erase_if(*names, [&](const std::string& name) { return !session_.namespaces().watches(name); });
    if (names->size() > session_.options().most_namespaces) {
        return fail("there are more than " + std::to_string(session_.options().most_namespaces) +
                    " namespaces; name those to be watched in the configuration");
    }
    ask_all(*names);
}

void ContainerdClient::Listing::ask_all(const std::vector<std::string>& names) {
    // One more than there are calls, so that the answer to all is given here when there are none.
    under_way_ = 1;
    for (const std::string& name : names) {
        parts_.push_back(std::make_unique<Part>());
        parts_.back()->name = name;
        ask(*parts_.back());
    }
    finish_one();
}

void ContainerdClient::Listing::ask(Part& part) {
    const auto deadline = session_.options().list_deadline;
    const std::string where = " of namespace " + part.name;
    under_way_ += 2;
    // One message a container: the records are large, and of all of them at once no limit would be enough.
    grpc::StreamHandlers handlers;
    handlers.on_message = [self = shared_from_this(), &part](std::string_view bytes) {
        self->take_container(part, bytes);
    };
    handlers.on_end = [self = shared_from_this()](const grpc::Answer& answer) {
        answer ? self->finish_one() : self->reply_.give(answer.error.of_no_container());
    };
    session_.stream(request_to("/containerd.services.containers.v1.Containers/ListStream",
                               std::string(listing) + where, {}, part.name, deadline),
                    std::move(handlers));
    session_.call(
        request_to("/containerd.services.tasks.v1.Tasks/List", "list tasks" + where, {}, part.name, deadline),
        [self = shared_from_this(), &part](const grpc::Answer& answer) {
            if (!answer) return self->reply_.give(answer.error.of_no_container());
            self->take_tasks(part, answer.message);
        });
}

void ContainerdClient::Listing::take_container(Part& part, std::string_view bytes) {
    if (!reply_) return;
    auto container = decode_container(part.name, bytes);
    if (!container) return fail("there is a message in the list that is no container");
    if (container->id.empty()) {
        ++skipped_;
        return;
    }
    if (++containers_ > session_.options().most_containers) {
        return fail("the list is of more than " + std::to_string(session_.options().most_containers) +
                    " containers");
    }
    part.containers.push_back(std::move(*container));
}

void ContainerdClient::Listing::take_tasks(Part& part, std::string_view bytes) {
    if (!reply_) return;
    auto tasks = decode_tasks(bytes);
    if (!tasks) return fail("the list of tasks makes no sense");
    for (Task& task : *tasks) {
        std::string id = task.id;
        part.tasks.insert_or_assign(std::move(id), std::move(task));
    }
    finish_one();
}

void ContainerdClient::Listing::finish_one() {
    if (--under_way_ > 0 || !reply_) return;
    std::vector<ContainerPtr> alive;
    for (const auto& part : parts_)
        add_alive(*part, alive);
    session_.runs().forget_dead();
    if (skipped_ > 0) {
        log::debug("left out of the list of " + session_.endpoint().url() + ": " + std::to_string(skipped_) +
                   " entries without a usable id");
    }
    reply_.give(std::move(alive));
}

void ContainerdClient::Listing::add_alive(Part& part, std::vector<ContainerPtr>& alive) {
    for (Container& container : part.containers) {
        const std::string own_id = container.id.substr(part.name.size() + 1);
        const auto found = part.tasks.find(own_id);
        const bool told = found != part.tasks.end() && found->second.status != Task::Status::unknown;
        if (told && !found->second.is_alive()) continue;
        if (told) {
            const Task& task = found->second;
            container.pid = session_.pids().to_ours(task.pid);
            container.paused = task.is_paused();
            if (task.pid != 0)
                container.started = session_.runs().see(container.id, task.pid, {}, session_.pids());
        } else if (!session_.runs().lives(container.id)) {
            // It has no task, or one of which its shim tells nothing, as this client knows nothing of it
            // either.
            if (found == part.tasks.end()) continue;
        }
        // Else its shim hangs: containerd 1.6 has the task without a word on it, later ones leave it out. It
        // is not over for that: in outline, to be inspected until the shim answers.
        alive.push_back(std::make_shared<const Container>(std::move(container)));
    }
    part.containers.clear();
}

void ContainerdClient::Listing::fail(std::string_view cause) {
    reply_.give(make_error(EngineError::Kind::protocol, listing, session_.endpoint(), cause));
}

}  // namespace shorewatch::containerd
