// From a process to its container.
#pragma once

#include <cstdint>
#include <stdexcept>
#include <string>
#include <vector>

#include "daemon/registry.h"
#include "engines/support/unique_fd.h"

namespace shorewatch {

class NoSuchProcess : public std::runtime_error {
  public:
    using std::runtime_error::runtime_error;
};

// The published container that a process is in: by the cgroup that is its container's own, and where that is
// shared or there is none, by pid namespace. Of containers in containers, the innermost. Empty: it is in
// none; more than one: it can't be told in which. Whatever is answered was true of that very process: if it
// ends meanwhile, it throws.

// pid: in our pid namespace; of a process or of one of its threads. Throws NoSuchProcess.
[[nodiscard]] std::vector<Registry::Found> containers_of(const Registry& registry, std::uint32_t pid);

// Throws NoSuchProcess, and std::invalid_argument when it is no pidfd.
[[nodiscard]] std::vector<Registry::Found> containers_of(const Registry& registry, const UniqueFd& pidfd);

}  // namespace shorewatch
