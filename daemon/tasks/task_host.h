// The task engine of a daemon: whether there is one, and which of the daemon's engines it deploys to.
#pragma once

#include <functional>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "daemon/change.h"
#include "daemon/configuration.h"
#include "daemon/tasks/deployment_request.h"
#include "daemon/tasks/task_engine.h"
#include "daemon/tasks/watcher_backend.h"
#include "engines/support/event_loop.h"

namespace shorewatch {

// Lives on the main thread.
class TaskHost {
  public:
    // As WatcherBackend::Hand has it, for the engine of this name, which may be "".
    using Hand = std::function<void(const std::string& engine, DeploymentRequest, DeploymentReply)>;

    // user: as Daemon has it. changed is called, from the loop, when engine() is another; before what it was
    // is destroyed.
    TaskHost(EventLoop& loop, bool user, Hand hand, std::function<void()> changed);
    ~TaskHost();
    TaskHost(const TaskHost&) = delete;
    TaskHost& operator=(const TaskHost&) = delete;

    // One of the daemon's engines.
    struct Candidate {
        std::string name;
        std::string type;  // as EngineConfiguration has it
        // Somebody has configured it, or it is the machine's own: not a user's, nor one in a container.
        // Others are taken only if the configuration names them.
        bool by_itself = false;
    };
    // What the configuration says, and the engines that are watched now; after each change of either, in any
    // order. Nothing begins before there is a configuration.
    void apply(const TasksConfiguration& configuration);
    void set_engines(std::vector<Candidate> watched);

    // Of any engine, as DeploymentDesk tells it; and that it is no longer watched.
    void engine_up(const std::string& engine);
    void engine_down(const std::string& engine, const std::string& why);
    void take(const std::string& engine, const Change& change);

    // Null: tasks are switched off, or there is no engine for them and never was.
    [[nodiscard]] TaskEngine* engine() const noexcept { return engine_.get(); }
    // The name of the engine they are deployed to; "": none yet.
    [[nodiscard]] const std::string& engine_name() const noexcept { return chosen_; }

    // Can engines of this type be deployed to?
    [[nodiscard]] static bool can_deploy(std::string_view type);

  private:
    [[nodiscard]] std::string choice() const;
    [[nodiscard]] TaskSettings settings() const;
    void choose();
    // True: there is one now that there was not.
    bool begin_or_end();
    void begin();

    EventLoop& loop_;
    const bool user_;
    const std::function<void()> changed_;
    TasksConfiguration configuration_;
    bool configured_ = false;  // it has been given
    const Hand hand_;
    std::vector<Candidate> watched_;
    std::set<std::string> up_;
    std::string chosen_;
    std::unique_ptr<WatcherBackend> backend_;  // the engine's; null without one
    std::unique_ptr<TaskEngine> engine_;
};

}  // namespace shorewatch
