// What a watched engine does for the task engine: each request that is under way gets its answer, also when
// the engine is lost; and it is told when the engine is there.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <unordered_map>

#include "daemon/tasks/deployment_request.h"
#include "engines/endpoint.h"

namespace shorewatch {

// Belongs to the watcher's thread. Outlives the client whose calls it waits for.
class DeploymentDesk {
  public:
    // Nothing: what becomes of containers is told from now on, and what is published is what is. Otherwise:
    // why that is over. May be null.
    using Tell = std::function<void(const std::optional<std::string>& why_down)>;

    // endpoint is for the wording of errors.
    DeploymentDesk(Endpoint endpoint, Tell tell) : endpoint_(std::move(endpoint)), tell_(std::move(tell)) {}
    DeploymentDesk(const DeploymentDesk&) = delete;
    DeploymentDesk& operator=(const DeploymentDesk&) = delete;
    // Answers those that are left, by an error.
    ~DeploymentDesk();

    // Asks. reply is called once: from the loop, or by lose() or the destructor. It must not throw, nor use
    // the desk. There is no limit to how many are under way but that of whoever asks.
    void take(const DeploymentTools& tools, const DeploymentRequest& request, DeploymentReply reply);

    // The engine was listed on a stream that stands. More than once is once.
    void on_watching();
    // The stream has ended, because of error: the client answers nothing of it any more.
    void lose(const EngineError& error);

  private:
    struct Pending {
        std::string purpose;
        DeploymentReply reply;
    };

    void answer_all(const std::string& cause);

    const Endpoint endpoint_;
    const Tell tell_;
    bool up_ = false;
    std::unordered_map<std::uint64_t, Pending> pending_;
    std::uint64_t next_ = 0;
};

}  // namespace shorewatch
