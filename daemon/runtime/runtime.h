// The runtime of an engine: containers that are made and run on behalf of whoever calls, as
// dbus/interfaces/org.shorewatch1.Runtime.xml describes it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "engines/engine_runtime.h"
#include "engines/result.h"
#include "engines/support/timestamp.h"
#include "engines/support/unique_fd.h"

namespace shorewatch {

// What an engine's initial process is called; all others are named by whoever runs them.
inline constexpr const char* init_name = "init";

struct RuntimeSettings {
    std::filesystem::path state;  // this engine's own folder; it need not exist
    std::string name_space = "shorewatch";
    std::string snapshotter = "overlayfs";
    std::size_t most_containers = 1000;

    bool operator==(const RuntimeSettings&) const = default;
};

struct CreateOptions {
    std::optional<std::string> name_space = {};
    std::string image = {};  // empty: none
    std::optional<std::string> snapshotter = {};
    std::vector<std::pair<std::string, std::string>> labels = {};
    bool remove_on_exit = false;
};

struct ProcessOptions {
    std::optional<bool> terminal = {};  // nothing: as the specification has it
    bool discard = false;
    bool with_stdin = true;
    std::string checkpoint = {};  // of the initial process only: an absolute path, or empty
};

// The caller's ends; those that there are.
struct ClientEnds {
    UniqueFd in;
    UniqueFd out;
    UniqueFd error;
};

struct RunningProcess {
    bool alive = true;
    std::uint32_t pid = 0;
    std::shared_ptr<ClientEnds> ends = std::make_shared<ClientEnds>();  // never null
};

struct SummaryRow {
    std::uint32_t pid = 0;
    std::string name;                    // "" for what was not started by the engine
    std::vector<std::string> arguments;  // none when they can't be read
};

struct ListedContainer {
    std::string id;
    ContainerPlace place;
    ContainerRecord record;
    bool remove_on_exit = false;
    std::string status;  // "" when there is no task
    std::uint32_t pid = 0;
    bool terminal = false;
    std::vector<std::string> processes;  // those beside the initial one that are alive
    std::optional<ProcessEnd> end;       // of the last run
    bool oom_killed = false;
};
struct ContainerListing {
    std::uint64_t sequence = 0;  // of the last event before it
    std::vector<ListedContainer> containers;
};

// Something that happened to a container, as it is told.
struct RuntimeSignal {
    enum class Type { create, start, exec_added, exec_started, oom, paused, resumed, exit };

    std::string container;
    Type type = Type::create;
    std::string process;
    std::uint64_t sequence = 0;
    std::optional<std::uint32_t> pid;
    std::optional<std::uint32_t> exit_code;
    std::optional<RealTime> exited;
    std::optional<bool> oom_killed;
    std::string error;  // empty: none
};
[[nodiscard]] const char* to_string(RuntimeSignal::Type type);

// What a call comes to; which of them is said at each call, nothing otherwise.
using RuntimeAnswer =
    std::variant<std::monostate, std::string, EngineVersion, RunningProcess, Metrics,
                 std::vector<std::uint32_t>, std::vector<SummaryRow>, ProcessEnd, ContainerListing>;
using RuntimeReply = std::function<void(Result<RuntimeAnswer>)>;

// Used on the thread of the engine's watcher. Each reply is called once, on that thread: from its loop, at
// once, or when the engine is lost.
class Runtime {
  public:
    virtual void version(RuntimeReply reply) = 0;  // EngineVersion
    virtual void image_config(const std::string& image, const std::optional<std::string>& name_space,
                              RuntimeReply reply) = 0;  // text
    virtual void list(RuntimeReply reply) = 0;          // ContainerListing

    virtual void create(const std::string& id, const std::string& spec_json, const CreateOptions& options,
                        RuntimeReply reply) = 0;
    virtual void remove(const std::string& id, RuntimeReply reply) = 0;
    virtual void start(const std::string& id, const ProcessOptions& options,
                       RuntimeReply reply) = 0;                               // RunningProcess
    virtual void delete_task(const std::string& id, RuntimeReply reply) = 0;  // ProcessEnd
    virtual void restore(const std::string& id, RuntimeReply reply) = 0;      // RunningProcess
    virtual void status(const std::string& id, RuntimeReply reply) = 0;       // text

    virtual void exec(const std::string& id, const std::string& process, const std::string& process_json,
                      const ProcessOptions& options, RuntimeReply reply) = 0;  // RunningProcess
    virtual void signal(const std::string& id, const std::string& process, int signal,
                        RuntimeReply reply) = 0;
    virtual void resize(const std::string& id, const std::string& process, std::uint32_t width,
                        std::uint32_t height, RuntimeReply reply) = 0;
    virtual void close_stdin(const std::string& id, const std::string& process, RuntimeReply reply) = 0;

    virtual void pause(const std::string& id, RuntimeReply reply) = 0;
    virtual void resume(const std::string& id, RuntimeReply reply) = 0;
    virtual void stats(const std::string& id, RuntimeReply reply) = 0;      // Metrics
    virtual void list_pids(const std::string& id, RuntimeReply reply) = 0;  // numbers
    virtual void summary(const std::string& id, RuntimeReply reply) = 0;    // rows
    virtual void update(const std::string& id, const std::string& resources_json, RuntimeReply reply) = 0;
    virtual void checkpoint(const std::string& id, const std::string& folder, bool exit,
                            RuntimeReply reply) = 0;

  protected:
    ~Runtime() = default;
};

// Something to be done with a runtime, on its thread.
using RuntimeRequest = std::function<void(Runtime&, RuntimeReply)>;

}  // namespace shorewatch
