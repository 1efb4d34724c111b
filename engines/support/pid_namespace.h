// A pid namespace: what number a process that has one in there has here.
//
// Engines tell pids as they are in their own namespace, and one that runs in a container has one of its own.
#pragma once

#include <cstdint>
#include <utility>

#include "engines/support/process.h"
#include "engines/support/unique_fd.h"

namespace shorewatch {

class PidNamespace {
  public:
    // Ours.
    PidNamespace() noexcept = default;
    // That of the process with this pid here. Ours when it can't be told: there is no such process, or it has
    // rights that we don't (CAP_SYS_PTRACE).
    [[nodiscard]] static PidNamespace of(std::uint32_t pid);
    // The same, but one without any processes when it can't be told.
    [[nodiscard]] static PidNamespace of(const Process& process);

    [[nodiscard]] bool is_ours() const noexcept { return kind_ == Kind::ours; }

    // The pid here of the process that has this pid there; 0: there is none, or 0 was asked for.
    [[nodiscard]] std::uint32_t to_ours(std::uint32_t pid) const;

  private:
    friend std::uint32_t found_in_proc(const PidNamespace& there, std::uint32_t pid);

    enum class Kind { ours, another, nowhere };

    PidNamespace(Kind kind, UniqueFd its) noexcept : kind_(kind), namespace_(std::move(its)) {}

    Kind kind_ = Kind::ours;
    UniqueFd namespace_;  // of another
};

// The same as to_ours(), of a namespace that is not ours, for kernels that can't be asked (before
// Linux 6.11): looks through all processes.
[[nodiscard]] std::uint32_t found_in_proc(const PidNamespace& there, std::uint32_t pid);

}  // namespace shorewatch
