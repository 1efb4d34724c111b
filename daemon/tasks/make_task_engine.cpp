// The task engine of a daemon that begins: what is on disk, and the loop it lives on.
#include <cstdlib>
#include <exception>
#include <utility>

#include "daemon/tasks/definition_fields.h"
#include "daemon/tasks/loop_surroundings.h"
#include "daemon/tasks/small_file.h"
#include "daemon/tasks/state_file.h"
#include "daemon/tasks/task_supervisor.h"
#include "engines/support/log.h"
#include "engines/support/text.h"

namespace shorewatch {

namespace {

constexpr const char* in_memory = "; tasks are kept in memory only until the daemon is restarted";

// Nothing of it is followed, and it is kept for whoever can make something of it.
TaskSupervisor::Kept put_aside(const std::filesystem::path& file, const InvalidDefinition& error) {
    TaskSupervisor::Kept kept;
    const std::string damage = printable(file.native()) + " is damaged: " + error.path() + " " + error.what();
    try {
        const std::filesystem::path aside = keep_aside(file);
        kept.problem = damage + "; it is kept as " + printable(aside.native()) +
                       ", and its tasks are no longer known: remove their containers, or add them again";
    } catch (const std::exception& failure) {
        kept.forbidden = damage + "; it is left as it is, for " + failure.what() + in_memory;
    }
    return kept;
}

TaskSupervisor::Kept read_kept(const std::filesystem::path& file) {
    TaskSupervisor::Kept kept;
    try {
        auto text = read_small_file(file, largest_state);
        if (text) kept.state = read_task_state(std::move(*text));
    } catch (const NewerTaskState& error) {
        kept.forbidden = printable(file.native()) + " is left alone: " + error.what() + in_memory;
    } catch (const InvalidDefinition& error) {
        kept = put_aside(file, error);
    } catch (const std::exception& error) {
        kept.forbidden = std::string(error.what()) + in_memory;
    }
    const std::string wrong = kept.forbidden + kept.problem;
    if (!wrong.empty()) log::error("tasks: " + wrong);
    return kept;
}

}  // namespace

std::unique_ptr<TaskEngine> make_task_engine(EventLoop& loop, TaskBackend& backend,
                                             const TaskSettings& settings) {
    auto engine =
        std::make_unique<TaskSupervisor>(std::make_unique<LoopSurroundings>(loop, settings.state_file),
                                         backend, settings, read_kept(settings.state_file));
    engine->reload(settings);
    return engine;
}

std::filesystem::path loaded_credentials() {
    const char* folder = std::getenv("CREDENTIALS_DIRECTORY");
    if (folder == nullptr || *folder == '\0') return {};
    std::filesystem::path file = std::filesystem::path(folder) / credentials_name;
    std::error_code error;
    return std::filesystem::exists(file, error) ? file : std::filesystem::path();
}

}  // namespace shorewatch
