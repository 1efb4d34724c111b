// What containers of a task wait for, of each other.
#pragma once

#include <cstddef>
#include <optional>
#include <vector>

#include "daemon/tasks/task_definition.h"

namespace shorewatch {

// Containers each of which depends on the next, and the last on the first; nothing: there are none.
[[nodiscard]] std::optional<std::vector<std::size_t>> find_cycle(
    const std::vector<ContainerDefinition>& containers);

// A container that another one needs both to run and to have ended, which never is; nothing: there is none.
struct Contradiction {
    std::size_t container;
    std::size_t needs;
};
[[nodiscard]] std::optional<Contradiction> find_contradiction(
    const std::vector<ContainerDefinition>& containers);

}  // namespace shorewatch
