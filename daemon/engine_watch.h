// The watch over one engine: connect, synchronise, follow, and come back after every loss.
//
// Runs on one EventLoop and does nothing but react to it. What it finds out goes to `publish`, in order.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "daemon/backoff.h"
#include "daemon/change.h"
#include "daemon/control_desk.h"
#include "daemon/control_request.h"
#include "daemon/portfolio.h"
#include "daemon/processes/process_holder.h"
#include "daemon/run_tracker.h"
#include "daemon/runtime/runtime_desk.h"
#include "daemon/socket_watch.h"
#include "daemon/tasks/deployment_desk.h"
#include "engines/endpoint.h"
#include "engines/engine_client.h"

namespace shorewatch {

class EngineWatch final : private LifecycleObserver, private RunTracker::Output {
  public:
    struct Timing {
        Clock::duration first_retry = std::chrono::milliseconds(100);
        Clock::duration longest_retry = std::chrono::seconds(10);
        // After a stream that lasted this long, the next attempt is made at once.
        Clock::duration good_stream = std::chrono::seconds(1);
        // How long the attempt after such a stream may take before the engine counts as lost.
        Clock::duration longest_reopening = std::chrono::seconds(5);
        // How long after a list, and after the last inspection that it made necessary, others may hold up the
        // word that the watch is synchronised.
        Clock::duration longest_settling = std::chrono::seconds(2);
    };

    // What a client that can is to be used for: running containers. tell as RuntimeDesk has it.
    struct RuntimeUse {
        RuntimeSettings settings;
        RuntimeDesk::Tell tell;
    };

    // name is for the journal. client lives on loop.
    // tell_deployment: null when nobody wants to deploy.
    // processes: null when the containers' processes are not to be held; it outlives the watch.
    EngineWatch(EventLoop& loop, std::string name, Endpoint endpoint, std::unique_ptr<EngineClient> client,
                std::function<void(Change)> publish, InitProcesses* processes, Timing timing,
                const std::optional<RuntimeUse>& runtime = {}, DeploymentDesk::Tell tell_deployment = {});
    EngineWatch(const EngineWatch&) = delete;
    EngineWatch& operator=(const EngineWatch&) = delete;
    ~EngineWatch();

    void start();
    // Lists again and publishes the difference; tries at once to connect if there is no stream.
    void resync();
    // Has the engine do something to a container. reply is called once, on the loop; perhaps at once.
    void control(const ControlRequest& request, ControlReply reply);
    // The engine's runtime; null: it has none.
    [[nodiscard]] Runtime* runtime() noexcept { return runtime_desk_.get(); }
    // Has the engine do something for the task engine. As control(); not_supported: it can't.
    void deploy(const DeploymentRequest& request, DeploymentReply reply);
    // Gives up the present connection, because of error, and begins anew.
    void abandon(const EngineError& error);

    [[nodiscard]] const Portfolio& portfolio() const noexcept { return portfolio_; }
    [[nodiscard]] const EngineStatus& status() const noexcept { return status_; }

  private:
    void on_stream_open() override;
    void on_identity(const EngineIdentity& identity) override;
    void on_event(const ContainerEvent& event) override;
    void on_gap(const std::string& why) override;
    void on_stream_end(const EngineError& error) override;

    void inspect(const std::string& id) override;
    [[nodiscard]] bool lives(const std::string& id) override { return processes_.lives(id); }
    void publish(Change change) override;

    void attempt();
    // The stream that lasted is gone because of error: perhaps no more than a gap.
    void reopen(const EngineError& error);
    void set_lost(const std::string& why);
    void watch_socket();
    void on_socket_changed();
    void list();
    void on_list(const Result<std::vector<ContainerPtr>>& answer);
    void on_process_exit(const std::string& id, std::uint32_t pid, const ExitReport& report);
    // After whatever was told to the tracker: its deadline, and whether the watch is synchronised by now.
    void update();
    void set_state(EngineState state, std::string last_error);

    EventLoop& loop_;
    std::string name_;
    Endpoint endpoint_;
    std::function<void(Change)> publish_;
    Timing timing_;

    Portfolio portfolio_;
    RunTracker tracker_;
    ProcessHolder processes_;
    EngineStatus status_;
    bool stream_open_ = false;
    bool attempting_ = false;
    bool listing_ = false;
    bool list_again_ = false;
    bool listed_ = false;  // by the present stream, which is a good one then
    bool synchronized_once_ = false;
    std::optional<RealTime> last_event_;
    Clock::time_point opened_;
    Backoff backoff_;
    std::optional<SocketWatch> socket_watch_;

    Timer retry_timer_;
    Timer deadline_timer_;
    Timer settling_timer_;
    Timer reopening_timer_;
    std::string why_reopening_;
    std::string warned_of_;  // the last error in the journal since it was last watched
    ControlDesk control_desk_;
    DeploymentDesk deployment_desk_;
    std::unique_ptr<EngineClient> client_;
    // Uses the client, which calls nobody back any more once it is gone.
    std::unique_ptr<RuntimeDesk> runtime_desk_;
};

}  // namespace shorewatch
