#include "daemon/engine_watch.h"

#include <exception>
#include <utility>

#include "engines/error_text.h"
#include "engines/socket_file.h"
#include "engines/support/log.h"

namespace shorewatch {

namespace {

void log_lifecycle(const std::string& engine, const Container& container, const char* what) {
    log::debug(
        "container " + container.name + " on " + engine + " " + what,
        {{"SHOREWATCH_ENGINE", engine}, {"CONTAINER_ID", container.id}, {"CONTAINER_NAME", container.name}});
}

// One debug line a lifecycle change; the engine's own state is logged where it changes.
struct ChangeLogger {
    const std::string& engine;

    void operator()(const ContainerStarted& c) const { log_lifecycle(engine, *c.container, "started"); }
    void operator()(const ContainerExited& c) const { log_lifecycle(engine, *c.container, "exited"); }
    void operator()(const ContainerPaused& c) const { log_lifecycle(engine, *c.container, "was paused"); }
    void operator()(const ContainerUnpaused& c) const { log_lifecycle(engine, *c.container, "was unpaused"); }
    void operator()(const ContainerRenamed& c) const { log_lifecycle(engine, *c.container, "was renamed"); }
    void operator()(const EngineChanged&) const {}
};

}  // namespace

EngineWatch::EngineWatch(EventLoop& loop, std::string name, Endpoint endpoint,
                         std::unique_ptr<EngineClient> client, std::function<void(Change)> publish,
                         InitProcesses* processes, Timing timing, const std::optional<RuntimeUse>& runtime,
                         DeploymentDesk::Tell tell_deployment)
    : loop_(loop),
      name_(std::move(name)),
      endpoint_(std::move(endpoint)),
      publish_(std::move(publish)),
      timing_(timing),
      tracker_(portfolio_, *this),
      // The pids of an engine on another host are none of ours.
      processes_(loop, name_, endpoint_.is_local() ? processes : nullptr,
                 [this](const std::string& id, std::uint32_t pid, const ExitReport& report) {
                     on_process_exit(id, pid, report);
                 }),
      backoff_(timing.first_retry, timing.longest_retry),
      retry_timer_(loop, [this] { attempt(); }),
      deadline_timer_(loop,
                      [this] {
                          tracker_.on_deadline(Clock::now());
                          update();
                      }),
      settling_timer_(loop, [this] { update(); }),
      reopening_timer_(loop, [this] { set_lost(why_reopening_); }),
      control_desk_(endpoint_),
      deployment_desk_(endpoint_, std::move(tell_deployment)),
      client_(std::move(client)) {
    EngineRuntime* const engine = client_->runtime();
    if (runtime && engine != nullptr) {
        runtime_desk_ =
            std::make_unique<RuntimeDesk>(loop_, endpoint_, *engine, runtime->settings, runtime->tell);
    }
}

EngineWatch::~EngineWatch() {
    client_->close();
}

// --- connecting
// -----------------------------------------------------------------------------------------------

void EngineWatch::start() {
    // Only what was missed since now can be replayed: of a remote engine's clock we know nothing yet.
    if (endpoint_.is_local()) last_event_ = real_time_now();
    set_state(EngineState::connecting, {});
    attempt();
}

void EngineWatch::resync() {
    if (stream_open_) return list();
    backoff_.reset();
    attempt();
}

void EngineWatch::control(const ControlRequest& request, ControlReply reply) {
    control_desk_.take(client_->control(), request, std::move(reply));
}

void EngineWatch::deploy(const DeploymentRequest& request, DeploymentReply reply) {
    EngineDeployment* const deployment = client_->deployment();
    if (deployment == nullptr) {
        return reply(make_error(EngineError::Kind::not_supported, request.purpose, endpoint_,
                                "tasks run on engines of type docker or podman alone"));
    }
    deployment_desk_.take({*deployment, client_->control()}, request, std::move(reply));
}

void EngineWatch::abandon(const EngineError& error) {
    client_->close();
    on_stream_end(error);
}

void EngineWatch::attempt() {
    if (attempting_ || stream_open_) return;
    retry_timer_.disarm();
    watch_socket();
    // The watch stands before this look: a socket made in between makes an event.
    if (socket_watch_ && !SocketFile(endpoint_).exists()) {
        return set_lost("there is no socket " + endpoint_.file() + "; waiting for the engine to make it");
    }
    attempting_ = true;
    client_->lifecycle_events(last_event_, *this);
}

void EngineWatch::watch_socket() {
    if (socket_watch_ || endpoint_.transport != Endpoint::Transport::unix_socket) return;
    try {
        socket_watch_.emplace(loop_, endpoint_.file(), [this] { on_socket_changed(); });
    } catch (const std::exception& error) {
        log::warning("engine " + name_ + ": " + error.what() + "; trying again from time to time instead",
                     {{"SHOREWATCH_ENGINE", name_}});
    }
}

void EngineWatch::on_socket_changed() {
    if (attempting_ || stream_open_) return;
    // The engine is starting: a socket is made an instant before it is listened on.
    backoff_.reset(std::chrono::milliseconds(5));
    attempt();
}

void EngineWatch::on_stream_open() {
    attempting_ = false;
    stream_open_ = true;
    opened_ = Clock::now();
    socket_watch_.reset();
    reopening_timer_.disarm();
    // Watching still: the stream before this one is only just gone.
    if (status_.state != EngineState::watching) set_state(EngineState::synchronizing, {});
    list();
    if (runtime_desk_) runtime_desk_->on_connected();
}

void EngineWatch::on_stream_end(const EngineError& error) {
    control_desk_.lose(error);
    deployment_desk_.lose(error);
    if (runtime_desk_) runtime_desk_->on_lost(error);
    const bool lasted = listed_ && Clock::now() - opened_ >= timing_.good_stream;
    if (std::exchange(listed_, false)) backoff_.reset();
    stream_open_ = attempting_ = listing_ = list_again_ = false;
    tracker_.on_stream_lost();
    update();
    settling_timer_.disarm();
    watch_socket();
    if (lasted) return reopen(error);
    set_lost(error.message);
    retry_timer_.arm_after(backoff_.next());
}

void EngineWatch::reopen(const EngineError& error) {
    // Podman ends its streams when its log is rotated, and its service may be started anew by its socket:
    // what can be reached at once was not lost.
    log::debug("engine " + name_ + ": " + error.message + "; opening another stream",
               {{"SHOREWATCH_ENGINE", name_}});
    if (error.kind == EngineError::Kind::unreachable) {
        why_reopening_ = error.message;
        reopening_timer_.arm_after(timing_.longest_reopening);
    } else {
        set_lost(error.message);
    }
    retry_timer_.arm_after({});
}

void EngineWatch::set_lost(const std::string& why) {
    reopening_timer_.disarm();
    set_state(synchronized_once_ ? EngineState::lost : EngineState::unavailable, why);
}

// --- following
// ------------------------------------------------------------------------------------------------

void EngineWatch::on_identity(const EngineIdentity& identity) {
    if (status_.identity == identity) return;
    status_.identity = identity;
    processes_.set_teller({identity.uid, endpoint_.inside.has_value()});
    publish_(EngineChanged{status_});
}

void EngineWatch::on_event(const ContainerEvent& event) {
    if (!last_event_ || event.time > *last_event_) last_event_ = event.time;
    tracker_.on_event(event, Clock::now());
    update();
}

void EngineWatch::on_gap(const std::string& why) {
    if (!why.empty())
        log::warning("engine " + name_ + ": " + why + "; listing again", {{"SHOREWATCH_ENGINE", name_}});
    list();
}

void EngineWatch::list() {
    if (std::exchange(listing_, true)) {
        list_again_ = true;
        return;
    }
    tracker_.on_list_asked(last_event_.value_or(real_time_now()));
    client_->list([this](const Result<std::vector<ContainerPtr>>& answer) { on_list(answer); });
}

void EngineWatch::on_list(const Result<std::vector<ContainerPtr>>& answer) {
    if (!answer) return abandon(answer.error());
    listing_ = false;
    listed_ = true;
    tracker_.on_list(answer.value(), Clock::now());
    settling_timer_.arm_after(timing_.longest_settling);
    update();
    if (std::exchange(list_again_, false)) list();
}

void EngineWatch::inspect(const std::string& id) {
    client_->inspect(id, [this, id](const Result<Inspection>& answer) {
        if (!answer && answer.error().kind != EngineError::Kind::not_found) {
            log::warning("engine " + name_ + ": " + answer.error().message,
                         {{"SHOREWATCH_ENGINE", name_}, {"CONTAINER_ID", id}});
        }
        const std::size_t before = tracker_.unsettled();
        tracker_.on_inspected(id, answer, Clock::now());
        // Very many take their time; only those that hang are not waited for.
        const bool getting_on = tracker_.unsettled() < before;
        if (getting_on && settling_timer_.armed()) settling_timer_.arm_after(timing_.longest_settling);
        update();
    });
}

void EngineWatch::on_process_exit(const std::string& id, std::uint32_t pid, const ExitReport& report) {
    tracker_.on_process_exit(id, pid, report, Clock::now());
    if (runtime_desk_ && report.exit_code)
        runtime_desk_->on_kernel_exit(pid, {static_cast<std::uint32_t>(*report.exit_code), report.time});
    update();
}

void EngineWatch::publish(Change change) {
    if (auto* const started = std::get_if<ContainerStarted>(&change)) {
        started->process = processes_.hold(*started->container);
    } else if (const auto* const exited = std::get_if<ContainerExited>(&change)) {
        processes_.release(exited->container->id);
    }
    if (log::enabled(log::Level::debug)) std::visit(ChangeLogger{name_}, change);
    publish_(std::move(change));
}

void EngineWatch::update() {
    if (const auto deadline = tracker_.next_deadline()) {
        deadline_timer_.arm_at(*deadline);
    } else if (deadline_timer_.armed()) {
        deadline_timer_.disarm();
    }
    // Of a stream that came so soon after another that nobody was told of a loss.
    if (listed_ && !listing_ && status_.state == EngineState::watching) deployment_desk_.on_watching();
    const bool listed = stream_open_ && !listing_ && status_.state == EngineState::synchronizing;
    if (!listed || (tracker_.unsettled() > 0 && settling_timer_.armed())) return;
    settling_timer_.disarm();
    synchronized_once_ = true;
    set_state(EngineState::watching, {});
    deployment_desk_.on_watching();
}

void EngineWatch::set_state(EngineState state, std::string last_error) {
    if (status_.state == state && status_.last_error == last_error && status_.since != RealTime{}) return;
    const bool new_state = status_.state != state || status_.since == RealTime{};
    if (new_state) status_.since = real_time_now();
    status_.state = state;
    status_.last_error = std::move(last_error);
    if (state == EngineState::watching) warned_of_.clear();
    // An engine that fails in the same way again and again has been told of.
    if (new_state && !status_.last_error.empty() && status_.last_error != warned_of_) {
        warned_of_ = status_.last_error;
        log::warning("engine " + name_ + " (" + client_->api() + ") is " + to_string(state) + ": " +
                         status_.last_error,
                     {{"SHOREWATCH_ENGINE", name_}});
    } else if (new_state && state == EngineState::watching) {
        log::info("watching engine " + name_ + " (" + client_->api() +
                      "): " + std::to_string(portfolio_.container_total()) + " containers",
                  {{"SHOREWATCH_ENGINE", name_}});
    }
    publish_(EngineChanged{status_});
}

}  // namespace shorewatch
