// The daemon's face on the bus: shows what is in the registry, tells what happens to it, and stays on the
// bus.
//
// Lives on the main thread's loop. When the bus goes, or takes nothing any more, everything is published anew
// on a new connection, under the same InstanceId and with the sequence going on; what happens meanwhile is in
// the registry.
#pragma once

#include <cstddef>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <utility>

#include "daemon/backoff.h"
#include "daemon/daemon_actions.h"
#include "daemon/registry.h"
#include "dbus/service/authority.h"
#include "dbus/service/bus_connection.h"
#include "dbus/service/object_tree.h"
#include "dbus/service/service_context.h"
#include "dbus/service/task_tree.h"
#include "engines/support/event_loop.h"

namespace shorewatch::bus {

class BusFace final : private RegistryObserver {
  public:
    struct Options {
        bool user = false;        // the session bus instead of the system bus
        std::string instance_id;  // 32 hexadecimal digits, new at each start of the daemon
        // There is a bus and we can't have our name on it: nothing more is published, and the daemon should
        // end. The text is a sentence for a person. Called on the loop's thread; must not destroy the face.
        std::function<void(const std::string& why)> fatal;
    };

    // Of events, until there is a bus to tell them on; the oldest ones go.
    static constexpr std::size_t most_held_events = 10'000;

    // Becomes the registry's observer. All three outlive it.
    BusFace(EventLoop& loop, Registry& registry, DaemonActions& actions, Options options);
    ~BusFace();
    BusFace(const BusFace&) = delete;
    BusFace& operator=(const BusFace&) = delete;

    // Connects to the bus, to find out at start whether there is one. Throws BusError.
    void connect();

    // The daemon's task engine is another than before, or has gone. Before what it was is destroyed.
    void tasks_changed();

    // Shows what is in the registry and asks for the name; from now on, for good.
    void publish();

  private:
    void engine_added(const PublishedEngine& engine) override;
    void engine_removed(const PublishedEngine& engine) override;
    void engine_changed(const PublishedEngine& engine, const EngineStatus& before,
                        std::uint64_t sequence) override;
    void container_started(const PublishedEngine& engine, const ContainerStarted& change,
                           std::uint64_t sequence) override;
    void container_exited(const PublishedEngine& engine, const ContainerExited& change,
                          std::uint64_t sequence) override;
    void container_paused(const PublishedEngine& engine, const ContainerPaused& change,
                          std::uint64_t sequence) override;
    void container_unpaused(const PublishedEngine& engine, const ContainerUnpaused& change,
                            std::uint64_t sequence) override;
    void container_renamed(const PublishedEngine& engine, const ContainerRenamed& change,
                           std::uint64_t sequence) override;
    void ready_changed(bool ready) override;
    void runtime_event(const PublishedEngine& engine, const RuntimeSignal& signal) override;

    void publish_on_connection();
    void tell_held_events();
    void show_tasks(bool announce);
    void disconnect();
    void lost(const std::string& why);
    void reconnect();
    void trim_later();
    void trim_after(Clock::duration delay);
    void trim();

    EventLoop& loop_;
    Registry& registry_;
    Authority authority_;
    OpenCalls calls_;
    AddressReader addresses_;
    ServiceContext context_;
    std::function<void(const std::string&)> fatal_;
    bool published_ = false;  // publish() was called
    Backoff backoff_;
    Timer reconnect_timer_;
    Timer trim_timer_;
    Clock::duration trim_delay_{};
    std::uint64_t trimmed_at_ = 0;    // the registry's sequence
    Clock::time_point published_at_;  // on this connection
    std::unique_ptr<BusConnection> bus_;
    std::unique_ptr<ObjectTree> tree_;     // while there is something to see on the bus
    std::unique_ptr<TaskTree> task_tree_;  // with tree_, if there is a task engine
    std::uint64_t task_sequence_ = 0;      // of the last signal of tasks
    // What happened to containers of runtimes while there was not: by engine. Of what is in the registry, it
    // tells itself; of these, nobody would.
    std::deque<std::pair<std::string, RuntimeSignal>> held_events_;
};

}  // namespace shorewatch::bus
