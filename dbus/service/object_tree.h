// The objects on the bus, for the life of one connection: one for each engine and project of the registry,
// and a folder of each engine's containers.
//
// Made from the registry when it is made, it is then told of each change, after the registry has it. What
// must not be lost (lifecycle signals, objects that come and go) is sent at once and in order; that lists and
// counters changed is collected and sent by flush(), once for each object.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>

#include "daemon/registry.h"
#include "dbus/service/bus_connection.h"
#include "dbus/service/container_folder.h"
#include "dbus/service/engine_object.h"
#include "dbus/service/manager_object.h"
#include "dbus/service/project_object.h"
#include "dbus/service/runtime_object.h"
#include "dbus/service/service_context.h"

namespace shorewatch::bus {

class ObjectTree {
  public:
    // Makes the objects without a signal: nobody knows of this connection yet. bus and context outlive the
    // tree.
    ObjectTree(BusConnection& bus, const ServiceContext& context);
    ~ObjectTree() = default;
    ObjectTree(const ObjectTree&) = delete;
    ObjectTree& operator=(const ObjectTree&) = delete;

    // As RegistryObserver has them.
    void engine_added(const PublishedEngine& engine);
    void engine_removed(const PublishedEngine& engine);
    void engine_changed(const PublishedEngine& engine, const EngineStatus& before, std::uint64_t sequence);
    void container_started(const PublishedEngine& engine, const ContainerStarted& change,
                           std::uint64_t sequence);
    void container_exited(const PublishedEngine& engine, const ContainerExited& change,
                          std::uint64_t sequence);
    void container_paused(const PublishedEngine& engine, const ContainerPaused& change,
                          std::uint64_t sequence);
    void container_unpaused(const PublishedEngine& engine, const ContainerUnpaused& change,
                            std::uint64_t sequence);
    void container_renamed(const PublishedEngine& engine, const ContainerRenamed& change,
                           std::uint64_t sequence);
    void ready_changed();
    void runtime_event(const PublishedEngine& engine, const RuntimeSignal& signal);

    // Sends what was collected.
    void flush();

  private:
    enum class Announce { no, yes };

    struct EngineBranch {
        std::unique_ptr<EngineObject> object;
        std::unique_ptr<RuntimeObject> runtime;  // at the same path; null: the engine has none
        std::map<std::string, ProjectObject, std::less<>> projects;
        std::unique_ptr<ContainerFolder> containers;
        std::size_t published = 0;  // containers
    };

    void add_engine(const PublishedEngine& engine, Announce announce);
    void add_project(const PublishedEngine& engine, EngineBranch& branch, const std::string& name,
                     Announce announce);
    void add_container(const PublishedEngine& engine, EngineBranch& branch, const Container& container,
                       Announce announce);
    void remove_container(const PublishedEngine& engine, EngineBranch& branch, const ContainerPtr& container);
    void remove_project(EngineBranch& branch, const std::string& name);
    void property_changed(const PublishedEngine& engine, const Container& container, const char* property);
    // Null when the engine's objects could not be made.
    EngineBranch* branch_of(const PublishedEngine& engine);

    BusConnection& bus_;
    const ServiceContext& context_;
    std::unique_ptr<ManagerObject> manager_;
    std::map<std::string, EngineBranch, std::less<>> engines_;

    // What flush() has to say.
    bool manager_invalid_ = false;
    std::set<EngineObject*> invalid_engines_;
    std::set<ProjectObject*> invalid_projects_;
};

}  // namespace shorewatch::bus
