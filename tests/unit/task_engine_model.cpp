#include "tests/unit/task_engine_model.h"

#include <algorithm>
#include <utility>

namespace shorewatch::testing {

namespace {

using Kind = EngineError::Kind;
using State = DeployedContainer::State;
using Outcome = std::optional<EngineError>;

EngineError no_container(const std::string& which) {
    return {Kind::not_found, "no such container: " + which};
}

bool has_label(const DeployedContainer& container, const std::string& label) {
    return std::ranges::any_of(container.labels, [&](const auto& pair) {
        return pair.first == label || pair.first + "=" + pair.second == label;
    });
}

}  // namespace

const char* name_of(CallKind kind) {
    constexpr const char* names[] = {"pull",          "find_image",    "list_images", "create",
                                     "start",         "inspect",       "list",        "remove",
                                     "create_volume", "remove_volume", "stop"};
    return names[static_cast<std::size_t>(kind)];
}

void TaskEngineModel::perform(EngineCall& call) {
    if (!std::exchange(call.done, true)) call.work();
}

void TaskEngineModel::answer(EngineCall& call) {
    call.answered = true;
    call.tell();
}

void TaskEngineModel::refuse(EngineCall& call, Kind kind, const std::string& message) {
    call.answered = true;
    call.refuse({kind, message});
}

template <typename What, typename Reply>
EngineCallPtr TaskEngineModel::make(CallKind kind, const std::string& subject, Reply reply,
                                    std::function<What()> work) {
    auto call = std::make_shared<EngineCall>();
    auto outcome = std::make_shared<std::optional<What>>();
    call->kind = kind;
    call->subject = subject;
    call->work = [outcome, work = std::move(work)] { outcome->emplace(work()); };
    call->tell = [outcome, reply] { reply(outcome->value()); };
    call->refuse = [reply](EngineError error) { reply(std::move(error)); };
    return call;
}

void TaskEngineModel::pull(const std::string& image, const std::optional<RegistryCredentials>& credentials,
                           Done reply) {
    const auto call = make<Outcome>(CallKind::pull, image, std::move(reply), [this, image]() -> Outcome {
        if (!pullable.contains(image)) return EngineError{Kind::engine, "pull access denied for " + image};
        images.insert(image);
        return std::nullopt;
    });
    call->credentials = credentials;
    on_call(call);
}

void TaskEngineModel::find_image(const std::string& image, Done reply) {
    on_call(make<Outcome>(CallKind::find_image, image, std::move(reply), [this, image]() -> Outcome {
        if (images.contains(image)) return std::nullopt;
        return EngineError{Kind::no_image, "no such image: " + image};
    }));
}

void TaskEngineModel::list_images(ImagesReply reply) {
    using Images = std::vector<DeployedImage>;
    on_call(make<Result<Images>>(CallKind::list_images, "", std::move(reply), [this]() -> Result<Images> {
        Images found;
        found.reserve(images.size());
        for (const std::string& name : images)
            found.push_back({.id = "image of " + name, .names = {name}});
        return found;
    }));
}

Result<std::string> TaskEngineModel::do_create(const ContainerPlan& plan) {
    if (!images.contains(plan.image)) return EngineError{Kind::no_image, "no such image: " + plan.image};
    if (with_name(plan.name) != nullptr)
        return EngineError{Kind::conflict, "the name " + plan.name + " is in use"};
    Container container;
    container.id = "id" + std::to_string(++last_id_);
    container.name = plan.name;
    container.labels = plan.labels;
    containers.emplace(container.id, container);
    made.push_back(plan);
    return container.id;
}

void TaskEngineModel::create(const ContainerPlan& plan, TextReply reply) {
    const auto call =
        make<Result<std::string>>(CallKind::create, plan.name, std::move(reply),
                                  [this, plan]() -> Result<std::string> { return do_create(plan); });
    call->plan = plan;
    on_call(call);
}

void TaskEngineModel::start(const std::string& id, Done reply) {
    on_call(make<Outcome>(CallKind::start, id, std::move(reply), [this, id]() -> Outcome {
        if (!containers.contains(id)) return no_container(id);
        run(id);
        return std::nullopt;
    }));
}

void TaskEngineModel::inspect(const std::string& id_or_name, ContainerReply reply) {
    on_call(make<Result<Container>>(CallKind::inspect, id_or_name, std::move(reply),
                                    [this, id_or_name]() -> Result<Container> {
                                        const auto found = containers.find(id_or_name);
                                        if (found != containers.end()) return found->second;
                                        if (const Container* named = with_name(id_or_name)) return *named;
                                        return no_container(id_or_name);
                                    }));
}

void TaskEngineModel::find_containers(const std::string& label, ContainersReply reply) {
    on_call(make<Result<std::vector<Container>>>(CallKind::list, label, std::move(reply),
                                                 [this, label]() -> Result<std::vector<Container>> {
                                                     std::vector<Container> found;
                                                     for (const auto& [id, container] : containers) {
                                                         if (has_label(container, label))
                                                             found.push_back(container);
                                                     }
                                                     return found;
                                                 }));
}

void TaskEngineModel::remove(const std::string& id, Done reply) {
    on_call(make<Outcome>(CallKind::remove, id, std::move(reply), [this, id]() -> Outcome {
        const auto found = containers.find(id);
        if (found == containers.end()) return no_container(id);
        if (found->second.state == State::running) end(id, 137);
        containers.erase(found);
        return std::nullopt;
    }));
}

void TaskEngineModel::create_volume(const std::string& name, const StringPairs& labels, Done reply) {
    on_call(make<Outcome>(CallKind::create_volume, name, std::move(reply), [this, name, labels]() -> Outcome {
        volumes.emplace(name, labels.empty() ? "" : labels.front().second);
        return std::nullopt;
    }));
}

void TaskEngineModel::remove_volume(const std::string& name, Done reply) {
    on_call(make<Outcome>(CallKind::remove_volume, name, std::move(reply), [this, name]() -> Outcome {
        if (volumes.erase(name) == 1) return std::nullopt;
        return EngineError{Kind::not_found, "no such volume: " + name};
    }));
}

void TaskEngineModel::stop(const std::string& id, std::chrono::seconds timeout, Done reply) {
    const auto call = make<Outcome>(CallKind::stop, id, std::move(reply), [this, id]() -> Outcome {
        const auto found = containers.find(id);
        if (found == containers.end()) return no_container(id);
        if (found->second.state != State::running)
            return EngineError{Kind::not_alive, "container " + id + " is not running"};
        end(id, 143);
        return std::nullopt;
    });
    call->timeout = timeout;
    on_call(call);
}

void TaskEngineModel::run(const std::string& id) {
    Container& container = containers.at(id);
    if (container.state == State::running) return;
    container.state = State::running;
    container.started = RealTime(std::chrono::seconds(++clock));
    container.exit_code.reset();
    container.finished.reset();
    news.push_back({id, std::nullopt});
}

void TaskEngineModel::end(const std::string& id, int code) {
    Container& container = containers.at(id);
    if (container.state != State::running) return;
    container.state = State::stopped;
    container.exit_code = code;
    container.finished = RealTime(std::chrono::seconds(++clock));
    news.push_back({id, code});
}

TaskEngineModel::Container* TaskEngineModel::with_name(const std::string& name) {
    for (auto& [id, container] : containers) {
        if (container.name == name) return &container;
    }
    return nullptr;
}

}  // namespace shorewatch::testing
