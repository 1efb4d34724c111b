// What is done to tasks: containerd 1.6's refusals, in its words and with its codes.
#include "containerd.pb.h"

#include "tests/fakes/fake_containerd.h"

namespace shorewatch::fakes {

namespace {

namespace api = containerd::api;

constexpr int unknown = 2;
constexpr int not_found = 5;
constexpr std::uint32_t stopped = 3;
constexpr std::uint32_t running = 2;
constexpr std::uint32_t paused = 4;
constexpr int sigkill = 9;

std::string key_of(const std::string& name_space, const std::string& id) {
    return name_space + "/" + id;
}

}  // namespace

void FakeContainerd::die(const std::string& name_space, const std::string& id, std::uint32_t exit_status) {
    std::vector<GrpcExchangePtr> told;
    std::uint32_t pid = 0;
    {
        const std::lock_guard lock(mutex_);
        Contents& contents = contents_.at(name_space).at(id);
        contents.status = stopped;
        contents.exit_status = exit_status;
        pid = contents.pid;
        const auto [first, last] = task_waiters_.equal_range(key_of(name_space, id));
        for (auto waiter = first; waiter != last; ++waiter)
            told.push_back(waiter->second);
        task_waiters_.erase(first, last);
    }
    emit_exit(name_space, id, exit_status, {}, pid);
    for (const GrpcExchangePtr& waiter : told)
        waiter->answer({});
}

std::vector<int> FakeContainerd::signals(const std::string& name_space, const std::string& id) const {
    const std::lock_guard lock(mutex_);
    const auto found = signals_.find(key_of(name_space, id));
    return found != signals_.end() ? found->second : std::vector<int>{};
}

bool FakeContainerd::serve_task(const std::string& method, const GrpcExchangePtr& exchange) {
    const bool is_wait = method == "Tasks/Wait";
    const bool is_change = method == "Tasks/Pause" || method == "Tasks/Resume" || method == "Tasks/Kill";
    if (!is_wait && !is_change) return false;
    api::GetTaskRequest request;  // the id has the same number in all of them
    request.ParseFromString(exchange->request);
    const std::string& id = request.container_id();
    const std::string name_space = exchange->metadata["containerd-namespace"];
    {
        const std::lock_guard lock(mutex_);
        const auto& place = contents_[name_space];
        const auto found = place.find(id);
        if (found == place.end()) {
            exchange->finish(not_found,
                             "container \"" + id + "\" in namespace \"" + name_space + "\": not found");
            return true;
        }
        if (!found->second.has_task) {
            exchange->finish(not_found, "task " + id + " not found");
            return true;
        }
        if (is_wait && found->second.status == stopped) {
            exchange->answer({});
        } else if (is_wait) {
            task_waiters_.emplace(key_of(name_space, id), exchange);
        }
    }
    if (is_change) change(method, name_space, exchange);
    return true;
}

// The task is there.
void FakeContainerd::change(const std::string& method, const std::string& name_space,
                            const GrpcExchangePtr& exchange) {
    api::KillRequest request;
    request.ParseFromString(exchange->request);
    const std::string& id = request.container_id();
    const auto signal = static_cast<int>(request.signal());
    std::string refusal;
    bool dies = false;
    {
        const std::lock_guard lock(mutex_);
        Contents& contents = contents_.at(name_space).at(id);
        const bool is_paused = contents.status == paused;
        if (method == "Tasks/Kill") {
            if (contents.status == stopped)
                return exchange->finish(not_found, "process already finished: not found");
            signals_[key_of(name_space, id)].push_back(signal);
            dies = signal == sigkill || !contents.ignores_signals;
        } else if (contents.status == stopped) {
            refusal = method == "Tasks/Pause" ? "cannot pause a stopped container"
                                              : "cannot resume a stopped container";
        } else if (method == "Tasks/Pause") {
            if (is_paused) refusal = "cannot pause a paused container";
            contents.status = paused;
        } else {
            if (!is_paused) refusal = "cannot resume a running process";
            contents.status = running;
        }
    }
    if (!refusal.empty()) return exchange->finish(unknown, refusal + ": unknown");
    exchange->answer({});
    if (dies) die(name_space, id, 128 + request.signal());
    if (method == "Tasks/Kill") return;
    api::TaskEvent event;
    event.set_container_id(id);
    emit(name_space, method == "Tasks/Pause" ? "/tasks/paused" : "/tasks/resumed", event.SerializeAsString());
}

}  // namespace shorewatch::fakes
