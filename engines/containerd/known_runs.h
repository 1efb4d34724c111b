// The runs of containers that have been seen alive: since when, and whether their processes still are.
//
// containerd's lists don't tell when a run began. Its start event does, and /proc tells it of each process,
// to a hundredth of a second. Whichever of the two was asked first is kept, so that one run has one start
// however often it is seen: runs are told apart by it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <unordered_map>

#include "engines/support/pid_namespace.h"
#include "engines/support/process.h"
#include "engines/support/timestamp.h"

namespace shorewatch::containerd {

class KnownRuns {
  public:
    // Container id runs as process pid. stamp: of the event that told so, if one did. pids: of the engine,
    // which tells pids as they are there. When the run began; nothing if nobody knows.
    std::optional<RealTime> see(const std::string& id, std::uint32_t pid, std::optional<RealTime> stamp = {},
                                const PidNamespace& pids = {});

    // Of the run last seen, if it was of this process.
    [[nodiscard]] std::optional<RealTime> started(const std::string& id, std::uint32_t pid) const;

    // The run of this process is over. A later one, that a list was faster to tell of, stays.
    void forget(const std::string& id, std::uint32_t pid);
    // Drops what is over without anyone having said so.
    void forget_dead();

    // Is the process of the run last seen still there?
    [[nodiscard]] bool lives(const std::string& id) const;

    [[nodiscard]] std::size_t size() const noexcept { return runs_.size(); }

  private:
    struct Run {
        std::uint32_t pid = 0;           // as the engine has it
        std::optional<Process> process;  // none: could not be told
        std::optional<RealTime> started;
    };

    [[nodiscard]] static bool lives(const Run& run);

    std::unordered_map<std::string, Run> runs_;
};

}  // namespace shorewatch::containerd
