// Requests from outside and from the task engine, on their way to the watcher of their engine.
#include <memory>
#include <optional>
#include <utility>

#include "daemon/daemon.h"
#include "engines/support/text.h"

namespace shorewatch {

namespace {

// Of requests that no watcher gets.
constexpr WatcherNumber no_watcher = 0;

}  // namespace

std::string Daemon::not_watched(std::string_view engine) {
    return "engine " + printable(engine) + " is not watched, or no longer";
}

template <typename Value, typename Hand>
void Daemon::hand_on(std::string_view engine, PendingCalls<Value>& calls,
                     typename PendingCalls<Value>::Reply reply, const Hand& hand) {
    const auto found = engines_.find(engine);
    if (found == engines_.end()) {
        const auto refuse = calls.await(no_watcher, std::move(reply));
        return refuse(EngineError{EngineError::Kind::unreachable, not_watched(engine)});
    }
    hand(*found->second.watcher, calls.await(found->second.number, std::move(reply)));
}

void Daemon::control(std::string_view engine, ControlRequest request, ControlReply reply) {
    hand_on(engine, control_calls_, std::move(reply), [&](Watcher& watcher, ControlReply answer) {
        watcher.control(std::move(request), std::move(answer));
    });
}

void Daemon::runtime(std::string_view engine, RuntimeRequest request, RuntimeReply reply) {
    hand_on(engine, runtime_calls_, std::move(reply), [&](Watcher& watcher, RuntimeReply answer) {
        watcher.runtime(std::move(request), std::move(answer));
    });
}

void Daemon::deploy(std::string_view engine, DeploymentRequest request, DeploymentReply reply) {
    hand_on(engine, deployment_calls_, std::move(reply), [&](Watcher& watcher, DeploymentReply answer) {
        watcher.deploy(std::move(request), std::move(answer));
    });
}

DeploymentDesk::Tell Daemon::deployment_teller(WatcherNumber number, const EngineConfiguration& engine) {
    if (!TaskHost::can_deploy(engine.type)) return {};
    return [this, number, alive = std::weak_ptr(alive_)](const std::optional<std::string>& why_down) {
        loop_.post([this, number, alive, why_down] {
            if (alive.expired()) return;
            const auto found = names_.find(number);
            if (found == names_.end()) return;
            why_down ? tasks_.engine_down(found->second, *why_down) : tasks_.engine_up(found->second);
        });
    };
}

}  // namespace shorewatch
