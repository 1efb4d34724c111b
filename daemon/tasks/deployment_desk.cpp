#include "daemon/tasks/deployment_desk.h"

#include <utility>

#include "engines/error_text.h"

namespace shorewatch {

DeploymentDesk::~DeploymentDesk() {
    try {
        answer_all("this engine is no longer watched");
    } catch (...) {
        // Out of memory: they stay without an answer.
    }
}

void DeploymentDesk::take(const DeploymentTools& tools, const DeploymentRequest& request,
                          DeploymentReply reply) {
    const std::uint64_t number = next_++;
    pending_.emplace(number, Pending{request.purpose, std::move(reply)});
    request.ask(tools, [this, number](Result<DeploymentAnswer> answer) {
        const auto ended = pending_.extract(number);
        if (!ended.empty()) ended.mapped().reply(std::move(answer));
    });
}

void DeploymentDesk::on_watching() {
    if (!std::exchange(up_, true) && tell_) tell_(std::nullopt);
}

void DeploymentDesk::lose(const EngineError& error) {
    if (std::exchange(up_, false) && tell_) tell_(error.message);
    answer_all("the connection was lost before it answered, and it may have been done all the same: " +
               error.message);
}

void DeploymentDesk::answer_all(const std::string& cause) {
    for (auto& [number, waiting] : std::exchange(pending_, {})) {
        waiting.reply(make_error(EngineError::Kind::unreachable, waiting.purpose, endpoint_, cause));
    }
}

}  // namespace shorewatch
