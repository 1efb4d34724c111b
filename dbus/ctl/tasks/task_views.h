// What is shown of tasks. Pure text from values.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "dbus/ctl/tasks/task_client.h"
#include "dbus/ctl/terminal.h"

namespace shorewatch::ctl {

// ARN, FAMILY, STATUS, WANTED, CONTAINERS, AGE, REASON, in the order given. now: µs since 1970, for ages.
[[nodiscard]] std::string task_table(const std::vector<TaskInfo>& tasks, std::uint64_t now,
                                     const Style& style);

// All of one task: where it is and where it is wanted, and for each container the same and what it waits for.
[[nodiscard]] std::string task_details(const TaskInfo& task, std::uint64_t now, const Style& style);

// IMAGE, ID, SIZE, AGE, in the order given; a line for each name of an image.
[[nodiscard]] std::string image_table(const std::vector<ImageInfo>& images, std::uint64_t now,
                                      const Style& style);

// A line for what has happened, without its newline. now: when it was received.
[[nodiscard]] std::string task_event_text(const TaskEvent& event, std::uint64_t now, const Style& style);

}  // namespace shorewatch::ctl
