// The kernel's word on how runs end: watches the initial processes of containers, and tells of each end once,
// with its exit code where the kernel has it.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "daemon/exit_report.h"
#include "daemon/processes/init_process.h"
#include "daemon/processes/pidfd.h"
#include "engines/support/event_loop.h"

namespace shorewatch {

class ExitWatch {
  public:
    // Without an exit code where the kernel doesn't have one; again with it, if it has it later and the
    // process is still watched.
    using OnExit = std::function<void(const std::string& id, std::uint32_t pid, const ExitReport& report)>;

    // How long the parent of a dead process may take to wait for it before its end is told without an exit
    // code.
    static constexpr Clock::duration longest_wait_for_parent = std::chrono::milliseconds(100);

    // on_exit is called on loop; it may watch and forget.
    ExitWatch(EventLoop& loop, OnExit on_exit);

    // In the place of what was watched under this id. A process without a descriptor is not watched.
    void watch(const std::string& id, InitProcessPtr process);
    void forget(const std::string& id);
    // Is the process that is watched under this id seen to live? False where none is watched.
    [[nodiscard]] bool lives(const std::string& id) const;

  private:
    struct Watched {
        InitProcessPtr process;
        EventSource source;
        // It is over, but its parent has not waited for it.
        std::optional<RealTime> ended = {};
        Clock::time_point told_at = {};  // then it is told without its exit code
        bool told = false;
    };

    void on_ready(const std::string& id);
    void on_patience_over();
    void tell(const std::string& id, const Watched& watched, std::optional<int> exit_code);

    EventLoop& loop_;
    OnExit on_exit_;
    std::unordered_map<std::string, Watched> watched_;
    Timer patience_;
};

}  // namespace shorewatch
