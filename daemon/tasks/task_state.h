// What is kept of all tasks, as JSON: the state file's text, and what ExportState gives.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <stdexcept>
#include <string>
#include <vector>

#include "daemon/tasks/task_record.h"
#include "engines/http/json_writer.h"

namespace shorewatch {

// Of a file of the folder of tasks that was followed: what it said, and in which life of the machine.
struct FollowedFile {
    std::string digest;
    std::string boot;

    bool operator==(const FollowedFile&) const = default;
};

struct TaskState {
    std::string owner = {};  // the state's own random name, for labels
    std::map<std::string, FollowedFile, std::less<>> files = {};
    std::vector<TaskRecord> tasks = {};

    bool operator==(const TaskState&) const = default;
};

// Of the format that is written. Fields may be added without another one.
inline constexpr std::int64_t task_state_version = 1;

// Written by a later Shorewatch: what() says so, in one printable line.
class NewerTaskState : public std::runtime_error {
  public:
    using std::runtime_error::runtime_error;
};

// Piece by piece, so that what is written need not be copied first.
class TaskStateWriter {
  public:
    TaskStateWriter(const std::string& owner, const std::map<std::string, FollowedFile, std::less<>>& files);
    void add(const TaskRecord& task);
    [[nodiscard]] std::string finish();

  private:
    json::Writer writer_;
};

// Throws InvalidDefinition for what is no state, with its place, and NewerTaskState.
[[nodiscard]] TaskState read_task_state(std::string text);

}  // namespace shorewatch
