#include "daemon/tasks/task_host.h"

#include <algorithm>
#include <string_view>
#include <system_error>
#include <utility>

#include "engines/support/log.h"

namespace shorewatch {

TaskHost::TaskHost(EventLoop& loop, bool user, Hand hand, std::function<void()> changed)
    : loop_(loop), user_(user), changed_(std::move(changed)), hand_(std::move(hand)) {}

TaskHost::~TaskHost() = default;

bool TaskHost::can_deploy(std::string_view type) {
    return type == "docker" || type == "podman";
}

void TaskHost::apply(const TasksConfiguration& configuration) {
    configuration_ = configuration;
    configured_ = true;
    choose();
    const bool is_new = begin_or_end();
    if (engine_ && !is_new) engine_->reload(settings());
}

void TaskHost::set_engines(std::vector<Candidate> watched) {
    watched_ = std::move(watched);
    // Without it, the folder of tasks would be one that is empty, and its tasks would stop.
    if (!configured_) return;
    choose();
    begin_or_end();
}

// Once there is a choice it stays, as long as the configuration makes no other: tasks are not to move from
// one engine to another because that was found later.
std::string TaskHost::choice() const {
    if (!configuration_.engine.empty()) return configuration_.engine;
    if (!chosen_.empty()) return chosen_;
    for (const std::string_view type : {"docker", "podman"}) {
        const auto found = std::ranges::find_if(
            watched_, [&](const Candidate& one) { return one.by_itself && one.type == type; });
        if (found != watched_.end()) return found->name;
    }
    return {};
}

void TaskHost::choose() {
    const std::string name = choice();
    if (name == chosen_) return;
    if (backend_) backend_->engine_down("tasks are for engine " + name + " from now on");
    chosen_ = name;
    const auto found = std::ranges::find(watched_, name, &Candidate::name);
    if (found != watched_.end() && !can_deploy(found->type)) {
        log::error("tasks can't be run on engine " + name + ", of type " + found->type +
                       ": name one of type docker or podman under [tasks] in the configuration",
                   {{"SHOREWATCH_ENGINE", name}});
    }
    if (backend_ && up_.contains(name)) backend_->engine_up();
}

TaskSettings TaskHost::settings() const {
    TaskSettings settings;
    settings.state_file = state_folder(user_) / "tasks.json";
    settings.tasks_folder = configuration_.folder;
    settings.credentials_file =
        configuration_.credentials.empty() ? loaded_credentials() : configuration_.credentials;
    settings.cleanup_after = configuration_.cleanup_after;
    return settings;
}

bool TaskHost::begin_or_end() {
    if (!configuration_.enabled.value_or(true)) {
        const auto ended = std::exchange(engine_, nullptr);
        if (ended) changed_();
        return false;
    }
    if (engine_) return false;
    std::error_code ignored;
    // Tasks of an earlier life are there, also while their engine is not.
    const bool known = std::filesystem::exists(settings().state_file, ignored);
    if (chosen_.empty() && !known && !configuration_.enabled) return false;
    begin();
    return true;
}

void TaskHost::begin() {
    backend_ =
        std::make_unique<WatcherBackend>(loop_, [this](DeploymentRequest request, DeploymentReply reply) {
            hand_(chosen_, std::move(request), std::move(reply));
        });
    if (up_.contains(chosen_)) backend_->engine_up();
    engine_ = make_task_engine(loop_, *backend_, settings());
    changed_();
}

void TaskHost::engine_up(const std::string& engine) {
    up_.insert(engine);
    if (backend_ && engine == chosen_) backend_->engine_up();
}

void TaskHost::engine_down(const std::string& engine, const std::string& why) {
    up_.erase(engine);
    if (backend_ && engine == chosen_) backend_->engine_down(why);
}

void TaskHost::take(const std::string& engine, const Change& change) {
    if (backend_ && engine == chosen_) backend_->take(change);
}

}  // namespace shorewatch
