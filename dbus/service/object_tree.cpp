#include "dbus/service/object_tree.h"

#include <utility>

namespace shorewatch::bus {

ObjectTree::ObjectTree(BusConnection& bus, const ServiceContext& context) : bus_(bus), context_(context) {
    bus_.attempt("publish the manager",
                 [&] { manager_ = std::make_unique<ManagerObject>(bus_.get(), context_); });
    for (const PublishedEngine* engine : context_.registry.engines()) {
        add_engine(*engine, Announce::no);
        EngineBranch* branch = branch_of(*engine);
        if (branch == nullptr) continue;
        engine->portfolio().for_each([&](const ContainerPtr& container) {
            add_container(*engine, *branch, *container, Announce::no);
        });
    }
}

ObjectTree::EngineBranch* ObjectTree::branch_of(const PublishedEngine& engine) {
    const auto found = engines_.find(engine.name());
    return found != engines_.end() ? &found->second : nullptr;
}

void ObjectTree::add_engine(const PublishedEngine& engine, Announce announce) {
    bus_.attempt("publish an engine", [&] {
        auto object = std::make_unique<EngineObject>(bus_.get(), context_, engine);
        std::unique_ptr<RuntimeObject> runtime;
        auto containers = std::make_unique<ContainerFolder>(bus_.get(), context_, engine);
        if (engine.has_runtime()) runtime = std::make_unique<RuntimeObject>(bus_.get(), context_, engine);
        // For the interfaces of both.
        if (announce == Announce::yes) object->announce_added();
        EngineBranch& branch = engines_[engine.name()];
        branch.object = std::move(object);
        branch.runtime = std::move(runtime);
        branch.containers = std::move(containers);
    });
}

void ObjectTree::add_project(const PublishedEngine& engine, EngineBranch& branch, const std::string& name,
                             Announce announce) {
    if (const auto found = branch.projects.find(name); found != branch.projects.end()) {
        invalid_projects_.insert(&found->second);
        return;
    }
    bus_.attempt("publish a project", [&] {
        ProjectObject& object = branch.projects.try_emplace(name, bus_.get(), engine, name).first->second;
        if (announce == Announce::yes) object.announce_added();
    });
}

void ObjectTree::add_container(const PublishedEngine& engine, EngineBranch& branch,
                               const Container& container, Announce announce) {
    add_project(engine, branch, container.project, announce);
    branch.published = engine.portfolio().container_total();
    if (announce == Announce::no) return;
    bus_.attempt("publish a container", [&] { branch.containers->announce_added(container.id); });
}

void ObjectTree::remove_project(EngineBranch& branch, const std::string& name) {
    const auto found = branch.projects.find(name);
    if (found == branch.projects.end()) return;
    bus_.attempt("withdraw a project", [&] { found->second.announce_removed(); });
    invalid_projects_.erase(&found->second);
    branch.projects.erase(found);
}

void ObjectTree::remove_container(const PublishedEngine& engine, EngineBranch& branch,
                                  const ContainerPtr& container) {
    bus_.attempt("withdraw a container", [&] { branch.containers->announce_removed(container); });
    if (engine.portfolio().project(container->project) == nullptr) {
        remove_project(branch, container->project);
    } else if (const auto project = branch.projects.find(container->project);
               project != branch.projects.end()) {
        invalid_projects_.insert(&project->second);
    }
}

void ObjectTree::engine_added(const PublishedEngine& engine) {
    add_engine(engine, Announce::yes);
}

void ObjectTree::engine_removed(const PublishedEngine& engine) {
    const auto found = engines_.find(engine.name());
    if (found == engines_.end()) return;
    EngineBranch& branch = found->second;
    engine.portfolio().for_each([&](const ContainerPtr& container) {
        bus_.attempt("withdraw a container", [&] { branch.containers->announce_removed(container); });
    });
    while (!branch.projects.empty())
        remove_project(branch, std::string(branch.projects.begin()->first));
    bus_.attempt("withdraw an engine", [&] { branch.object->announce_removed(); });
    invalid_engines_.erase(branch.object.get());
    engines_.erase(found);
    manager_invalid_ = true;
}

void ObjectTree::engine_changed(const PublishedEngine& engine, const EngineStatus& before,
                                std::uint64_t sequence) {
    EngineBranch* branch = branch_of(engine);
    if (branch == nullptr) return;
    bus_.attempt("tell of an engine's properties", [&] { branch->object->announce_changed(before); });
    if (before.state == engine.status().state) return;
    bus_.attempt("tell of an engine's state", [&] { manager_->announce_state(engine, before, sequence); });
}

void ObjectTree::container_started(const PublishedEngine& engine, const ContainerStarted& change,
                                   std::uint64_t sequence) {
    EngineBranch* branch = branch_of(engine);
    if (branch == nullptr) return;
    // A run that was over before it could be inspected is not in the portfolio.
    if (engine.portfolio().find(change.container->id)) {
        add_container(engine, *branch, *change.container, Announce::yes);
        invalid_engines_.insert(branch->object.get());
        manager_invalid_ = true;
    }
    bus_.attempt("tell of a start", [&] { manager_->announce(engine, change, sequence); });
}

void ObjectTree::container_exited(const PublishedEngine& engine, const ContainerExited& change,
                                  std::uint64_t sequence) {
    EngineBranch* branch = branch_of(engine);
    if (branch == nullptr) return;
    bus_.attempt("tell of an exit", [&] { manager_->announce(engine, change, sequence); });
    // A run that was over before it could be inspected was not in the portfolio.
    const std::size_t left = engine.portfolio().container_total();
    if (std::exchange(branch->published, left) == left) return;
    remove_container(engine, *branch, change.container);
    invalid_engines_.insert(branch->object.get());
    manager_invalid_ = true;
}

void ObjectTree::property_changed(const PublishedEngine& engine, const Container& container,
                                  const char* property) {
    EngineBranch* branch = branch_of(engine);
    if (branch == nullptr || !engine.portfolio().find(container.id)) return;
    bus_.attempt("tell of a container's properties",
                 [&] { branch->containers->announce_changed(container.id, property); });
}

void ObjectTree::container_paused(const PublishedEngine& engine, const ContainerPaused& change,
                                  std::uint64_t sequence) {
    property_changed(engine, *change.container, "Paused");
    bus_.attempt("tell of a pause", [&] { manager_->announce(engine, change, sequence); });
}

void ObjectTree::container_unpaused(const PublishedEngine& engine, const ContainerUnpaused& change,
                                    std::uint64_t sequence) {
    property_changed(engine, *change.container, "Paused");
    bus_.attempt("tell of the end of a pause", [&] { manager_->announce(engine, change, sequence); });
}

void ObjectTree::container_renamed(const PublishedEngine& engine, const ContainerRenamed& change,
                                   std::uint64_t sequence) {
    property_changed(engine, *change.container, "Name");
    if (EngineBranch* branch = branch_of(engine)) {
        const auto project = branch->projects.find(change.container->project);
        if (project != branch->projects.end()) invalid_projects_.insert(&project->second);
    }
    bus_.attempt("tell of a new name", [&] { manager_->announce(engine, change, sequence); });
}

void ObjectTree::ready_changed() {
    bus_.attempt("tell of being ready", [&] { manager_->announce_ready(); });
}

void ObjectTree::runtime_event(const PublishedEngine& engine, const RuntimeSignal& signal) {
    const EngineBranch* const branch = branch_of(engine);
    if (branch == nullptr || !branch->runtime) return;
    bus_.attempt("tell of an event", [&] { branch->runtime->announce(signal); });
}

void ObjectTree::flush() {
    for (ProjectObject* project : std::exchange(invalid_projects_, {})) {
        bus_.attempt("tell of a project's containers", [&] { project->invalidate_containers(); });
    }
    for (EngineObject* engine : std::exchange(invalid_engines_, {})) {
        bus_.attempt("tell of an engine's containers", [&] { engine->invalidate_containers(); });
    }
    if (std::exchange(manager_invalid_, false)) {
        bus_.attempt("tell of the number of containers", [&] { manager_->invalidate_containers(); });
    }
}

}  // namespace shorewatch::bus
