// TaskEngine: tasks, sets of containers that belong together, brought to where they are wanted and kept track
// of, over restarts of the engine, of the daemon and of the machine. What the outside has of it: calls, and
// an observer.
//
// Belongs to the daemon and to its main thread. Calls are plain: they change what is wanted or say what is
// known, at once, and wait for nothing; what follows from them is told to the observer. Only images are the
// engine's to know, and asked for there.
#pragma once

#include <chrono>
#include <cstddef>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "daemon/tasks/task_status.h"
#include "engines/engine_deployment.h"
#include "engines/support/event_loop.h"
#include "engines/support/timestamp.h"

namespace shorewatch {

class TaskBackend;

// Past these, a task is refused: whoever may add tasks shall not be able to exhaust the daemon.
inline constexpr std::size_t most_tasks = 2000;
inline constexpr std::size_t most_task_containers = 64;  // of one task
// Of all tasks: with all that is told of them, a list of them fits into a message of the system's bus (32
// MiB).
inline constexpr std::size_t most_containers_of_tasks = 8000;
inline constexpr std::size_t most_definition_bytes = std::size_t{16} * 1024 * 1024;  // of all tasks
inline constexpr std::size_t longest_definition = std::size_t{256} * 1024;           // in bytes of JSON
inline constexpr std::size_t longest_reason = 1024;  // in bytes, of what an engine said

// One container of a task, as it is now. All strings are valid UTF-8 without NUL.
struct TaskContainerView {
    std::string name;   // in the task
    std::string image;  // as the definition has it
    // At the engine: its name, chosen when the task was added, and its full id; empty as long as none is
    // known.
    std::string engine_name;
    std::string id;
    bool essential = true;                     // its end ends the task
    TaskStatus desired = TaskStatus::running;  // running, stopped or dead
    TaskStatus known = TaskStatus::none;
    // What has to come before it moves on, in words: "container db to be running", "the engine to pull
    // busybox"; empty when it is where it is wanted.
    std::string waits_for;
    // Why it stopped, where that was not asked for: the engine's words, "container vanished". Empty: no
    // reason but its exit code.
    std::string reason;
    // Of its end; unknown facts are absent.
    std::optional<int> exit_code = {};  // 128+n for a signal n
    bool oom_killed = false;
    std::optional<RealTime> started = {};
    std::optional<RealTime> finished = {};
    std::vector<PortMapping> ports = {};  // with the host's ports as they are, once it runs

    bool operator==(const TaskContainerView&) const = default;
};

// A task as it is now.
struct TaskView {
    std::string arn;      // its name, for ever: any text of 1 to 512 bytes without control characters
    std::string family;   // of its definition
    std::string version;  // the definition's revision, "0" where it has none
    std::string file;     // of the folder of tasks, by whose being there it is wanted; empty: it was added
    TaskStatus desired = TaskStatus::running;  // running, stopped or dead; only ever raised
    TaskStatus known = TaskStatus::none;       // the least of its containers'
    std::string reason;                        // why it stops or has stopped; empty: it was not said
    std::optional<RealTime> added = {};
    std::optional<RealTime> stopped = {};  // since when it is known to be
    // When what is left of it will be removed; absent as long as it has not stopped.
    std::optional<RealTime> cleanup = {};
    std::vector<TaskContainerView> containers;  // in the definition's order

    bool operator==(const TaskView&) const = default;
};

// Why a call was not followed; nothing has changed then.
struct TaskError {
    enum class Kind {
        invalid_spec,  // the definition is none, or can't be followed
        no_such_task,
        conflict,  // there is a task of this arn with another definition
        limits,    // there are too many tasks
    };

    Kind kind = Kind::invalid_spec;
    // invalid_spec: the place in the JSON, "$.containerDefinitions[0].image"; "$" is the whole.
    std::string path;
    // One printable sentence: what is wrong and what was expected, with the path where there is one.
    std::string message;
};

// Told after the change, with all that is known by then. It must not call the engine from within.
class TaskEngineObserver {
  public:
    // The first of it; from within add(), or when the observer is set.
    virtual void task_added(const TaskView& task) = 0;
    // The container has reached its status, which was never told before. Before the task's own.
    virtual void container_status_changed(const TaskView& task, const TaskContainerView& container) = 0;
    // The task has. Its statuses come in their order, none twice; some may never come.
    virtual void task_status_changed(const TaskView& task) = 0;
    // Something else of it is another than it was told before: what is wanted, what is waited for, reasons,
    // ids, ports. At most once a turn of the loop.
    virtual void task_changed(const TaskView& task) = 0;
    // The last of it, after it was told to be dead.
    virtual void task_removed(const TaskView& task) = 0;
    // problem() is another.
    virtual void problem_changed(const std::string& problem) = 0;

  protected:
    ~TaskEngineObserver() = default;
};

// What may change with the configuration but for state_file, which stays what it was at the start.
struct TaskSettings {
    // What is to outlive the daemon. Neither it nor its folder need be there; they are made when there is
    // something to write.
    std::filesystem::path state_file;
    // Its *.json are task definitions, wanted while they are there. Empty: none. It need not be there.
    std::filesystem::path tasks_folder;
    // Credentials of registries, for tasks that bring none: JSON as in Docker's config.json. Empty: none.
    std::filesystem::path credentials_file;
    // How long what has stopped can still be looked at.
    std::chrono::seconds cleanup_after = std::chrono::hours(3);

    bool operator==(const TaskSettings&) const = default;
};

class TaskEngine {
  public:
    virtual ~TaskEngine() = default;
    TaskEngine(const TaskEngine&) = delete;
    TaskEngine& operator=(const TaskEngine&) = delete;

    // Tells it of everything there is, and from now on. Statuses that were never told are told then, those
    // of an earlier daemon's life too. observer outlives this, or is removed with null.
    virtual void set_observer(TaskEngineObserver* observer) = 0;

    // Takes a task definition in ECS's JSON (docs/tasks.md), and answers its arn. Of an arn that is there
    // already the wanted status is raised if the definition says so, and credentials are taken; conflict: the
    // definition is another otherwise.
    [[nodiscard]] virtual std::variant<std::string, TaskError> add(const std::string& definition) = 0;
    // The task is to stop: at once, whatever is under way. Nothing when it has, or is to, already.
    [[nodiscard]] virtual std::optional<TaskError> stop(std::string_view arn) = 0;
    // The task is to stop, and then all of it is to be removed, without waiting for its cleanup.
    [[nodiscard]] virtual std::optional<TaskError> remove(std::string_view arn) = 0;

    // What was accepted outlives the daemon from this on: then is called once all of it is on disk, or can't
    // be put there, which problem() tells. Now if it is, and otherwise from the loop; it is dropped if the
    // engine goes.
    virtual void when_kept(std::function<void()> then) = 0;

    // Sorted by arn.
    [[nodiscard]] virtual std::vector<TaskView> list() const = 0;
    [[nodiscard]] virtual std::optional<TaskView> find(std::string_view arn) const = 0;

    // The images at the engine, whoever pulled them, as EngineDeployment::list_images() has them. reply is
    // called once: from the loop and not from within the call, or when this goes; with an error of kind
    // unreachable when the engine is not there, timeout after 10 s, busy when too many ask at a time. It must
    // not throw.
    virtual void list_images(EngineDeployment::ImagesReply reply) = 0;

    // The JSON that is kept in the state file, as it would be written now. Holds no credentials.
    [[nodiscard]] virtual std::string export_state() const = 0;

    // What an administrator has to see to, in one printable line: a state file that can't be read or
    // written, files of the folder that are no tasks, credentials that can't be read. Empty: nothing.
    [[nodiscard]] virtual std::string problem() const = 0;

    // Reads the folder of tasks and the credentials again. Tasks whose file is gone stop, and are removed
    // when it is time; those whose file is another are replaced.
    virtual void reload(const TaskSettings& settings) = 0;

  protected:
    TaskEngine() = default;
};

// Reads what is kept of earlier lives, and begins. loop and backend outlive it.
[[nodiscard]] std::unique_ptr<TaskEngine> make_task_engine(EventLoop& loop, TaskBackend& backend,
                                                           const TaskSettings& settings);

// The file of this name among the credentials that systemd has loaded for us (LoadCredential=), if there is
// one; empty otherwise.
[[nodiscard]] std::filesystem::path loaded_credentials();
inline constexpr const char* credentials_name = "registries.json";

}  // namespace shorewatch
