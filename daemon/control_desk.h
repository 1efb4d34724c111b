// The requests to one engine that are under way: each gets its answer, also when the engine is lost.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <unordered_map>
#include <utility>

#include "daemon/control_request.h"
#include "engines/endpoint.h"
#include "engines/engine_control.h"

namespace shorewatch {

// Belongs to the watcher's thread. Outlives the client whose calls it waits for.
class ControlDesk {
  public:
    // Engines that hang, and users that don't wait, are not to fill the memory.
    static constexpr std::size_t most_pending = EngineControl::most_at_a_time;

    // endpoint is for the wording of errors.
    explicit ControlDesk(Endpoint endpoint) : endpoint_(std::move(endpoint)) {}
    ControlDesk(const ControlDesk&) = delete;
    ControlDesk& operator=(const ControlDesk&) = delete;
    // Answers those that are left, by an error.
    ~ControlDesk();

    // Asks control. reply is called once: from the loop; at once, when too many are under way (kind busy); or
    // by lose() or the destructor. It must not throw, nor use the desk.
    void take(EngineControl& control, const ControlRequest& request, ControlReply reply);

    // The client is closed, because of error, and answers nothing any more.
    void lose(const EngineError& error);

    [[nodiscard]] std::size_t pending() const noexcept { return pending_.size(); }

  private:
    struct Pending {
        std::string purpose;
        ControlReply reply;
    };

    void give(std::uint64_t number, Result<std::string> answer);
    void answer_all(const std::string& cause);

    const Endpoint endpoint_;
    std::unordered_map<std::uint64_t, Pending> pending_;
    std::uint64_t next_ = 0;
};

}  // namespace shorewatch
