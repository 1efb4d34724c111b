// Task definitions, as anybody may hand them in who is allowed to run tasks: what is accepted can be written
// and is read again as the same; what is refused is refused with a place and a reason.
#include <string>

#include "daemon/tasks/definition_reader.h"
#include "tests/fuzz/expect.h"

using namespace shorewatch;
using namespace shorewatch::fuzz;

namespace {

void expect_definition(const TaskDefinition& definition) {
    expect(!definition.containers.empty(), "a task has containers");
    for (const ContainerDefinition& container : definition.containers) {
        expect(!container.name.empty() && !container.image.empty(), "containers have a name and an image");
        expect_clean(container.image, "images are valid");
        for (const auto& [name, value] : container.environment) {
            expect_clean(name, "names of variables are valid");
            expect_clean(value, "values of variables are valid");
        }
        for (const auto& [key, value] : container.labels) {
            expect_clean(key, "keys of labels are valid");
            expect_clean(value, "values of labels are valid");
        }
        for (const ContainerDependency& on : container.dependencies)
            expect(on.container < definition.containers.size(), "dependencies are on containers of the task");
        for (const auto& mount : container.mounts)
            expect(mount.volume < definition.volumes.size(), "mounts are of volumes of the task");
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string text(text_of(data, size));
    WantedTask task;
    try {
        task = read_definition(text);
    } catch (const InvalidDefinition& error) {
        expect_line(error.path(), "places are one line");
        expect_line(error.what(), "reasons are one line");
        return 0;
    }
    expect(task.definition != nullptr, "what is accepted has a definition");
    expect_definition(*task.definition);
    if (!task.arn.empty()) expect_line(task.arn, "names of tasks are one line");
    expect(task.arn.size() <= longest_arn, "names of tasks are short");
    expect_clean(task.json, "what is kept is valid");
    try {
        const WantedTask again = read_definition(task.json);
        expect(*again.definition == *task.definition, "what is kept says the same");
        expect(again.json == task.json, "what is kept is kept as it is");
        expect(again.arn.empty() && again.credentials.empty(), "what is kept is the definition alone");
    } catch (const InvalidDefinition&) {
        expect(false, "what is kept is a definition");
    }
    return 0;
}
