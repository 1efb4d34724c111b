// The file in which the task engine keeps its tasks, damaged or made up: what is read can be written, and is
// then read as the same.
#include "daemon/tasks/task_state.h"

#include <string>

#include "daemon/tasks/definition_fields.h"
#include "tests/fuzz/expect.h"

using namespace shorewatch;
using namespace shorewatch::fuzz;

namespace {

std::string written(const TaskState& state) {
    TaskStateWriter writer(state.owner, state.files);
    for (const TaskRecord& task : state.tasks)
        writer.add(task);
    return writer.finish();
}

// They hold definitions by pointer.
void expect_same(const TaskState& one, const TaskState& other) {
    expect(one.owner == other.owner, "the owner is read again");
    expect(one.files == other.files, "files are read again");
    expect(one.tasks.size() == other.tasks.size(), "tasks are read again");
    for (std::size_t index = 0; index < one.tasks.size(); ++index) {
        TaskRecord task = other.tasks[index];
        expect(*task.definition == *one.tasks[index].definition, "definitions are read again");
        task.definition = one.tasks[index].definition;
        expect(task == one.tasks[index], "a task is read again as it was");
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    TaskState state;
    try {
        state = read_task_state(std::string(text_of(data, size)));
    } catch (const InvalidDefinition& error) {
        expect_line(error.path(), "places are one line");
        expect_line(error.what(), "reasons are one line");
        return 0;
    } catch (const NewerTaskState& error) {
        expect_line(error.what(), "reasons are one line");
        return 0;
    }
    for (const TaskRecord& task : state.tasks) {
        expect_line(task.arn, "names of tasks are one line");
        for (std::size_t index = 0; index < task.containers.size(); ++index) {
            const ContainerPlan plan = plan_of(task, index, state.owner);
            expect_clean(plan.name, "names at the engine are valid");
        }
    }
    const std::string text = written(state);
    expect_clean(text, "what is written is valid");
    try {
        const TaskState again = read_task_state(text);
        expect_same(state, again);
        expect(written(again) == text, "what is written is written again");
    } catch (const std::exception&) {
        expect(false, "what is written can be read");
    }
    return 0;
}
