// Pulls that containers share: an image is pulled once at a time, different ones side by side.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>

#include "daemon/tasks/engine_calls.h"

namespace shorewatch {

class PullDesk {
  public:
    // Of one that waits; 0 is none.
    using Ticket = std::uint64_t;
    using Reply = EngineCalls::Done;

    // calls outlives it.
    explicit PullDesk(EngineCalls& calls) : calls_(calls) {}
    PullDesk(const PullDesk&) = delete;
    PullDesk& operator=(const PullDesk&) = delete;
    ~PullDesk() = default;

    // Joins the pull of this image with these credentials, which is under way or waits for another's with
    // others; begins one where there is none. reply is called from the loop.
    [[nodiscard]] Ticket pull(const std::string& image, const std::optional<RegistryCredentials>& credentials,
                              Reply reply);
    // That reply is not called any more. The pull goes on if it has begun.
    void forget(Ticket ticket);

  private:
    struct Job {
        std::optional<RegistryCredentials> credentials;
        std::map<Ticket, Reply> waiting;
    };
    using Jobs = std::deque<Job>;  // the first one is under way; never empty

    void begin(const std::string& image);
    void finish(const std::string& image, const std::optional<EngineError>& error);

    EngineCalls& calls_;
    std::map<std::string, Jobs, std::less<>> jobs_;  // by image
    Ticket last_ = 0;
};

}  // namespace shorewatch
