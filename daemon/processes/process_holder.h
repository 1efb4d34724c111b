// Holds the initial processes of one engine's published runs, and tells when the kernel says that one has
// ended.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "daemon/processes/exit_watch.h"
#include "daemon/processes/init_process.h"
#include "engines/container.h"
#include "engines/support/event_loop.h"

namespace shorewatch {

class ProcessHolder {
  public:
    // engine is for the journal. processes: null when the engine's processes are none of this machine's, or
    // are not to be held; it outlives this. on_exit is called on loop, and not within hold().
    ProcessHolder(EventLoop& loop, std::string engine, InitProcesses* processes, ExitWatch::OnExit on_exit);

    void set_teller(const Teller& teller) { teller_ = teller; }

    // The process of a run that is about to be published; null when it is not to be had. Told to be over if
    // it has gone, by an engine that is known to be here: one behind a forwarded socket tells pids of another
    // machine, none of which is ever found.
    [[nodiscard]] InitProcessPtr hold(const Container& container);
    void release(const std::string& id) { exits_.forget(id); }
    // Is the process that is held for it seen to live? False where none is held.
    [[nodiscard]] bool lives(const std::string& id) const { return exits_.lives(id); }

  private:
    void tell_gone();
    void log_not_held(const Container& container, const Held& held);
    void log_no_descriptor();

    std::string engine_;
    InitProcesses* processes_;
    ExitWatch::OnExit on_exit_;
    ExitWatch exits_;
    Teller teller_;
    bool proven_ = false;  // a process that the engine named was found to be the container's
    bool told_not_held_ = false;
    bool told_no_descriptor_ = false;
    std::vector<std::pair<std::string, std::uint32_t>> gone_;
    Timer gone_timer_;
};

}  // namespace shorewatch
