#include "daemon/tasks/task_status.h"

#include <array>
#include <cstddef>

namespace shorewatch {

namespace {

constexpr std::array<std::string_view, 6> names = {"NONE", "PULLED", "CREATED", "RUNNING", "STOPPED", "DEAD"};

}  // namespace

std::string_view to_string(TaskStatus status) noexcept {
    return names[static_cast<std::size_t>(status)];
}

std::optional<TaskStatus> status_from(std::string_view text) noexcept {
    for (std::size_t index = 0; index < names.size(); ++index) {
        if (names[index] == text) return static_cast<TaskStatus>(index);
    }
    return std::nullopt;
}

}  // namespace shorewatch
