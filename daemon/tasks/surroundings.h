// What the task engine has of the world beside its engine: time, the loop, chance and a disk. The daemon's,
// or a test's.
#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <string>

#include "engines/support/event_loop.h"
#include "engines/support/timestamp.h"

namespace shorewatch {

class TaskSurroundings {
  public:
    using Saved = std::function<void(std::optional<std::string> error)>;

    virtual ~TaskSurroundings() = default;
    TaskSurroundings(const TaskSurroundings&) = delete;
    TaskSurroundings& operator=(const TaskSurroundings&) = delete;

    [[nodiscard]] virtual Clock::time_point now() const = 0;
    [[nodiscard]] virtual RealTime real_now() const = 0;
    // Has what() called on the main loop, at this time; only the last that was asked for.
    virtual void wake_at(Clock::time_point when, std::function<void()> what) = 0;
    // Next on the main loop.
    virtual void post(std::function<void()> what) = 0;
    // So many random hexadecimal digits.
    [[nodiscard]] virtual std::string random_hex(std::size_t digits) = 0;
    // Another one each time the machine starts.
    [[nodiscard]] virtual std::string boot_id() const = 0;

    // Puts the state to where it outlives the machine, in whole or not at all, and says so on the main loop:
    // nothing, or one printable line on why not. One at a time.
    virtual void save(std::string state, Saved saved) = 0;

  protected:
    TaskSurroundings() = default;
};

}  // namespace shorewatch
