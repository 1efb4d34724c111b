// What the desk knows of one container and of its processes.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "daemon/runtime/process_order.h"
#include "daemon/runtime/process_pipes.h"
#include "daemon/runtime/runtime.h"
#include "engines/engine_runtime.h"
#include "engines/support/event_loop.h"
#include "engines/support/timestamp.h"

namespace shorewatch {

// By these labels the engine's own records tell what is ours and how it is to be treated.
inline constexpr const char* own_label = "org.shorewatch.runtime";
inline constexpr const char* remove_label = "org.shorewatch.runtime.remove-on-exit";

struct ManagedProcess {
    ProcessOrder order;
    RealTime begun = real_time_now();     // an end before this was another one's of the same name
    std::uint64_t number = 0;             // none has had it before
    std::optional<bool> terminal;         // nothing: not known (yet)
    bool reachable = false;               // its input can be closed: the engine knows of it
    bool close_stdin = false;             // … and is to be, then
    bool abandoned = false;               // the engine was lost before it was known to have started
    bool settling = false;                // it has ended, and is being cleared away
    std::optional<ProcessEnd> seen_end;   // the kernel's word on it, for when the engine has none
    std::unique_ptr<ProcessPipes> pipes;  // null: none
    std::unique_ptr<Timer> patience;      // for its output to be read
};

struct ManagedContainer {
    enum class Phase {
        creating,
        ready,
        starting,
        removing,       // its task, or it as a whole, is being deleted
        lost_creating,  // the engine was lost meanwhile: it is to be undone
        lost_starting,  // the same
    };

    ContainerPlace place;
    ContainerRecord record;
    bool remove_on_exit = false;
    Phase phase = Phase::creating;
    bool marked = false;  // the end of a run is to be told
    bool paused = false;
    bool oom = false;  // since it was started
    // Who has asked for the removal that is under way because it removes itself; null: none is.
    std::shared_ptr<std::vector<RuntimeReply>> removers;
    std::optional<ProcessEnd> last_end;
    bool last_oom = false;
    // By name. "init" is there from its start until its task is deleted.
    std::map<std::string, ManagedProcess, std::less<>> processes;
};

}  // namespace shorewatch
