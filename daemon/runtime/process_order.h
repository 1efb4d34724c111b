// In which order the events of one process are told: each once, none before what it follows from, whatever
// the order in which the engine tells of it, and whatever of it is lost.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "engines/engine_runtime.h"

namespace shorewatch {

class ProcessOrder {
  public:
    struct Told {
        enum class What { added, started, exited };
        What what = What::added;
        std::uint32_t pid = 0;          // 0: not known
        std::optional<ProcessEnd> end;  // with exited, if it is known
        std::string error;              // why it was not started
    };
    using List = std::vector<Told>;

    // Of a process that runs already, and of which nothing but its end is to be told.
    [[nodiscard]] static ProcessOrder running(std::uint32_t pid);

    // Each returns what is to be told now.

    // The process waits to be started. pid: 0 if it is not known yet.
    [[nodiscard]] List added(std::uint32_t pid);
    [[nodiscard]] List started(std::uint32_t pid);
    // It ended. An end that comes before whoever has started it knows that it was, is told after that.
    [[nodiscard]] List exited(const ProcessEnd& end);
    // Whoever has started it has the answer: pid.
    [[nodiscard]] List answered(std::uint32_t pid);
    // It could not be started. end: told in any case; without one, "exited" is told only if something was
    // before.
    [[nodiscard]] List failed(const std::string& error, const std::optional<ProcessEnd>& end);

    [[nodiscard]] bool is_over() const noexcept { return over_; }
    [[nodiscard]] bool is_started() const noexcept { return started_; }
    [[nodiscard]] bool is_answered() const noexcept { return answered_; }
    // Has its end come, told or held back?
    [[nodiscard]] bool has_ended() const noexcept { return over_ || end_.has_value(); }
    [[nodiscard]] std::uint32_t pid() const noexcept { return pid_; }
    [[nodiscard]] const std::optional<ProcessEnd>& end() const noexcept { return end_; }

  private:
    void tell_added(List& list);
    void tell_started(List& list);

    std::uint32_t pid_ = 0;
    bool added_ = false;
    bool started_ = false;
    bool answered_ = false;
    bool over_ = false;
    std::optional<ProcessEnd> end_;
};

}  // namespace shorewatch
