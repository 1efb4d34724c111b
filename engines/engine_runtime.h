// EngineRuntime: what an engine can do for whoever makes containers and runs them by himself, process by
// process, with streams of his own. containerd can; engines that run containers for their users have no such
// thing.
//
// As EngineControl: on the loop's thread only, nothing blocks, answers come as callbacks on the loop, never
// from within the call that asked, and calls end unanswered with the stream of the client whose part this is.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "engines/result.h"
#include "engines/support/timestamp.h"

namespace shorewatch {

// Of a container that need not be watched.
struct ContainerPlace {
    std::string name_space;
    std::string id;
};

// Where a process reads and writes: FIFOs on this host, by absolute path; empty: nothing. Of stdout and
// stderr both or none, and with a terminal no stderr.
struct ProcessStreams {
    std::string in;
    std::string out;
    std::string error;
    bool terminal = false;
};

struct NewContainer {
    ContainerPlace place;
    std::string spec_json;    // an OCI runtime specification
    std::string image;        // empty: the specification names the root file system
    std::string snapshotter;  // that the image is unpacked with; not used without one
    std::vector<std::pair<std::string, std::string>> labels = {};
};

// What the engine keeps of a container, whether it runs or not.
struct ContainerRecord {
    std::string image = {};  // empty: none
    std::vector<std::pair<std::string, std::string>> labels = {};
    std::optional<RealTime> created = {};
    bool terminal = false;  // what the specification says of the initial process
};

struct ProcessState {
    enum class Status { unknown, created, running, stopped, paused, pausing };

    Status status = Status::unknown;
    std::uint32_t pid = 0;
    bool terminal = false;
    std::uint32_t exit_code = 0;  // these two only of a stopped one; 128+n for a signal n
    std::optional<RealTime> exited = {};

    [[nodiscard]] bool is_alive() const noexcept {
        return status == Status::running || status == Status::paused || status == Status::pausing;
    }
};

// How a process ended.
struct ProcessEnd {
    std::uint32_t exit_code = 0;
    std::optional<RealTime> time = {};
};

struct ListedProcess {
    std::uint32_t pid = 0;
    // As it was given to exec(); nothing: not started by the engine, or its initial one.
    std::optional<std::string> exec_name;
};

// One figure of the kernel's, by the name of its file.
struct Metric {
    // Of one block device; operation is empty where the kernel does not tell them apart.
    struct OfDevice {
        std::uint64_t major = 0;
        std::uint64_t minor = 0;
        std::string operation;
        std::uint64_t value = 0;
    };
    std::string name;
    std::variant<std::uint64_t, std::vector<std::uint64_t>, std::vector<OfDevice>> value;
};
struct Metrics {
    std::optional<RealTime> read_at;
    std::uint32_t cgroup_version = 0;  // 1 or 2
    std::vector<Metric> figures;
};

struct EngineVersion {
    std::string version;
    std::string revision;
};

// Something that happened to a container or one of its processes, in the order in which the engine tells it.
struct RuntimeEvent {
    enum class Type { created, started, exec_added, exec_started, oom, paused, resumed, exited, deleted };

    Type type = Type::created;
    ContainerPlace place;
    std::string exec_name;  // empty: the initial process
    std::uint32_t pid = 0;  // 0: not told
    ProcessEnd end;         // exited only
};

class RuntimeObserver {
  public:
    virtual void on_runtime_event(const RuntimeEvent& event) = 0;

  protected:
    ~RuntimeObserver() = default;
};

class EngineRuntime {
  public:
    using Done = std::function<void(std::optional<EngineError>)>;
    template <typename T>
    using Reply = std::function<void(Result<T>)>;

    // The longest specification, in bytes.
    static constexpr std::size_t longest_spec = std::size_t{1024} * 1024;

    virtual ~EngineRuntime() = default;
    EngineRuntime(const EngineRuntime&) = delete;
    EngineRuntime& operator=(const EngineRuntime&) = delete;

    // Tells what happens while the stream is open, in all namespaces that are watched. Null: nobody.
    virtual void observe(RuntimeObserver* observer) = 0;

    virtual void version(Reply<EngineVersion> reply) = 0;
    // The configuration of an image, JSON, as it is. no_image.
    virtual void image_config(const std::string& name_space, const std::string& image,
                              Reply<std::string> reply) = 0;

    // Does this JSON of a process ask for a terminal? Answers at once. invalid_spec: it is no such JSON.
    [[nodiscard]] virtual Result<bool> wants_terminal(const std::string& process_json) const = 0;
    // Is this namespace watched? Containers in others would be out of sight.
    [[nodiscard]] virtual bool watches(std::string_view name_space) const = 0;

    // Unpacks the image if there is one, and makes a writable snapshot named as the container. conflict: the
    // id is taken; invalid_spec, no_image. After an error, nothing of it is left.
    virtual void create_container(const NewContainer& container, Reply<ContainerRecord> reply) = 0;
    virtual void container(const ContainerPlace& place, Reply<ContainerRecord> reply) = 0;
    // With its snapshot. Must not have a task: the engine would forget about it.
    virtual void delete_container(const ContainerPlace& place, Done reply) = 0;

    // A task is what runs: its initial process waits until start(). Its pid. The specification is made to
    // agree with streams about the terminal. checkpoint: the folder of one to restore, or empty. conflict:
    // there is a task already; program_not_found, program_not_executable, invalid_spec.
    virtual void create_task(const ContainerPlace& place, const ProcessStreams& streams,
                             const std::string& checkpoint, Reply<std::uint32_t> reply) = 0;
    // not_alive: no task
    virtual void task_state(const ContainerPlace& place, Reply<ProcessState> reply) = 0;
    // Of one that has ended. not_alive: no task; conflict: it runs.
    virtual void delete_task(const ContainerPlace& place, Reply<ProcessEnd> reply) = 0;
    // Whatever state it is in: kills it if need be. No task is no error.
    virtual void remove_task(const ContainerPlace& place, Done reply) = 0;

    // Has a process wait in the container until start(). conflict: the name is in use, or the container is
    // frozen; not_alive.
    virtual void exec(const ContainerPlace& place, const std::string& name, const std::string& process_json,
                      const ProcessStreams& streams, Done reply) = 0;
    // process, here and below: a name given to exec(), or empty for the initial one. The pid of it.
    virtual void start(const ContainerPlace& place, const std::string& process,
                       Reply<std::uint32_t> reply) = 0;
    virtual void process_state(const ContainerPlace& place, const std::string& process,
                               Reply<ProcessState> reply) = 0;
    // Of one that has ended, or was not started. no_process.
    virtual void delete_process(const ContainerPlace& place, const std::string& process,
                                Reply<ProcessEnd> reply) = 0;

    // no_process: it has ended; not_alive: no task.
    virtual void signal(const ContainerPlace& place, const std::string& process, int signal, Done reply) = 0;
    // not_supported: it has no terminal
    virtual void resize(const ContainerPlace& place, const std::string& process, std::uint32_t width,
                        std::uint32_t height, Done reply) = 0;
    // Only after create_task() or start() of it has been answered: the engine forgets about it before.
    virtual void close_stdin(const ContainerPlace& place, const std::string& process, Done reply) = 0;

    // not_alive, conflict: it is so already
    virtual void pause(const ContainerPlace& place, Done reply) = 0;
    virtual void resume(const ContainerPlace& place, Done reply) = 0;
    virtual void metrics(const ContainerPlace& place, Reply<Metrics> reply) = 0;
    virtual void processes(const ContainerPlace& place, Reply<std::vector<ListedProcess>> reply) = 0;
    // resources_json: "linux.resources" of a specification
    virtual void update(const ContainerPlace& place, const std::string& resources_json, Done reply) = 0;
    // Into an empty folder; it is paused meanwhile. exit: it ends by it. not_supported: there is no CRIU, or
    // it can't.
    virtual void checkpoint(const ContainerPlace& place, const std::string& folder, bool exit,
                            Done reply) = 0;

  protected:
    EngineRuntime() = default;
};

}  // namespace shorewatch
