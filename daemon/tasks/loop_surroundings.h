// The task engine's surroundings in the daemon: its main loop, the machine's clock and its disk.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <string>

#include "daemon/tasks/state_file.h"
#include "daemon/tasks/surroundings.h"
#include "engines/support/event_loop.h"

namespace shorewatch {

class LoopSurroundings final : public TaskSurroundings {
  public:
    // loop outlives it.
    LoopSurroundings(EventLoop& loop, std::filesystem::path state_file);

    [[nodiscard]] Clock::time_point now() const override { return Clock::now(); }
    [[nodiscard]] RealTime real_now() const override { return real_time_now(); }
    void wake_at(Clock::time_point when, std::function<void()> what) override;
    void post(std::function<void()> what) override { loop_.post(std::move(what)); }
    [[nodiscard]] std::string random_hex(std::size_t digits) override;
    [[nodiscard]] std::string boot_id() const override;
    void save(std::string state, Saved saved) override;

  private:
    EventLoop& loop_;
    std::function<void()> what_;
    Timer timer_;
    StateFile file_;
};

}  // namespace shorewatch
