// How far a task or one of its containers has come.
#pragma once

#include <optional>
#include <string_view>

namespace shorewatch {

// In this order, and only upwards. Statuses may be left out on the way: what can't be pulled goes from none
// to stopped.
enum class TaskStatus {
    none,     // nothing was done for it yet
    pulled,   // its image is there
    created,  // it is made, and does not run
    running,
    stopped,  // it runs no more, or never will; what is left of it at the engine can still be looked at
    dead,     // nothing is left of it at the engine
};

// "NONE", "PULLED", "CREATED", "RUNNING", "STOPPED", "DEAD": as ECS writes them, on the bus and in files.
[[nodiscard]] std::string_view to_string(TaskStatus status) noexcept;
// Nothing: text is none of these.
[[nodiscard]] std::optional<TaskStatus> status_from(std::string_view text) noexcept;

}  // namespace shorewatch
