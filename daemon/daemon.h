// The daemon's inside: one watcher an engine, configured or discovered, and the registry that they all report
// to.
//
// Lives on the main thread. Knows nothing of D-Bus: whoever publishes observes the registry.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "daemon/change_queue.h"
#include "daemon/configuration.h"
#include "daemon/daemon_actions.h"
#include "daemon/discovery.h"
#include "daemon/nested_discovery.h"
#include "daemon/pending_calls.h"
#include "daemon/processes/init_process.h"
#include "daemon/registry.h"
#include "daemon/runtime/runtime.h"
#include "daemon/tasks/task_host.h"
#include "daemon/watcher.h"
#include "engines/support/event_loop.h"

namespace shorewatch {

class Daemon final : public DaemonActions, private DiscoveryObserver {
  public:
    // read is called by reload(); it throws ConfigurationError. user: the daemon is a user's own, and
    // discovers that user's engines. engines_changed is called after an engine came, went or changed its
    // state; not within the registry's own calls.
    // tasks_changed is called after tasks() has become another, and before what it was has gone.
    Daemon(
        EventLoop& loop, bool user, std::function<Configuration()> read,
        std::function<void()> engines_changed, std::function<void()> tasks_changed = [] {});
    Daemon(const Daemon&) = delete;
    Daemon& operator=(const Daemon&) = delete;
    // Stops all watchers, side by side, and joins them.
    ~Daemon();

    // Makes the watchers those of configuration: engines that it does not name end, changed ones begin anew,
    // the others are left alone.
    void apply(const Configuration& configuration);

    void reload() override;
    void resync(std::string_view engine) override;
    void control(std::string_view engine, ControlRequest request, ControlReply reply) override;
    void runtime(std::string_view engine, RuntimeRequest request, RuntimeReply reply) override;
    [[nodiscard]] TaskEngine* tasks() override { return tasks_.engine(); }
    [[nodiscard]] std::string tasks_engine() const override { return tasks_.engine_name(); }
    [[nodiscard]] std::size_t queue_length() const override { return queue_.size(); }

    // Did every watcher's loop turn since the last time this was asked? Names the first that did not in the
    // journal.
    [[nodiscard]] bool is_turning();

    [[nodiscard]] Registry& registry() noexcept { return registry_; }

  private:
    struct Engine {
        EngineConfiguration configuration;
        std::optional<RuntimeSettings> runtime;
        WatcherNumber number;
        std::unique_ptr<Watcher> watcher;
    };

    void engine_found(const DiscoveredEngine& engine) override;
    void engine_gone(const std::string& name) override;
    void discover();
    void discover_nested();
    // Is this the socket of an engine that was configured, watched or not, or discovered?
    [[nodiscard]] bool is_known(const struct stat& socket) const;
    // Makes the watchers those of what is configured and what was discovered.
    void update();
    // The same engine behind two sockets: one that was discovered is given up, the later or the less trusted
    // one.
    void drop_double(const std::string& name, const EngineIdentity& identity);

    void add(const EngineConfiguration& configuration);
    // What the engine's runtime is to be; nothing: it has none.
    [[nodiscard]] std::optional<RuntimeSettings> runtime_of(const EngineConfiguration& engine) const;
    void remove(const std::vector<std::string>& names);
    void tell_candidates();
    // Why nobody answers for that engine.
    [[nodiscard]] static std::string not_watched(std::string_view engine);
    // Has hand give the engine's watcher a request, with the reply that is to be called on its thread.
    template <typename Value, typename Hand>
    void hand_on(std::string_view engine, PendingCalls<Value>& calls,
                 typename PendingCalls<Value>::Reply reply, const Hand& hand);
    // Has something done for the task engine.
    void deploy(std::string_view engine, DeploymentRequest request, DeploymentReply reply);
    // How it is told whether that engine is there; null: tasks can't be run on it.
    [[nodiscard]] DeploymentDesk::Tell deployment_teller(WatcherNumber number,
                                                         const EngineConfiguration& engine);
    void consume(const std::vector<QueuedChange>& changes);
    // What the change says of where engines may be.
    void follow(const std::string& name, const ContainerStarted& change);
    void follow(const std::string& name, const ContainerExited& change);
    // Of an engine whose container is over: those of its containers that went with it.
    void tell_exits(const std::string& name);

    // Before all that may hold processes.
    DescriptorBudget descriptors_{DescriptorBudget::of_this_process()};
    KernelProcesses processes_{descriptors_};
    EventLoop& loop_;
    bool user_;
    std::function<Configuration()> read_;
    std::function<void()> engines_changed_;
    Registry registry_;
    ChangeQueue queue_;
    PendingCalls<std::string> control_calls_;
    PendingCalls<RuntimeAnswer> runtime_calls_;
    PendingCalls<DeploymentAnswer> deployment_calls_;
    WatcherNumber last_number_ = 0;
    std::map<WatcherNumber, std::string> names_;  // of the engines whose changes count
    std::map<std::string, Engine, std::less<>> engines_;
    Configuration configuration_;
    std::vector<EngineConfiguration> discovered_;
    bool updating_ = false;      // within update() …
    bool update_again_ = false;  // … and what it goes by has changed since
    std::optional<Discovery> discovery_;
    std::optional<NestedDiscovery> nested_;
    TaskHost tasks_;  // after all of the above, which it uses
    // Of what watchers have posted to the loop, which may come after this.
    std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace shorewatch
