// The runtime of one engine: knows the containers that were made here, has the engine do what is asked for,
// and tells what happens to them.
//
// Belongs to the watcher's thread. What may take long is the engine's; what is done here is short. Each
// container is changed by one call at a time: another one is told that there is a conflict.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "daemon/runtime/managed_container.h"
#include "daemon/runtime/runtime.h"
#include "daemon/runtime/state_folder.h"
#include "engines/endpoint.h"
#include "engines/engine_runtime.h"
#include "engines/support/event_loop.h"

namespace shorewatch {

class RuntimeDesk final : public Runtime, private RuntimeObserver {
  public:
    using Tell = std::function<void(const RuntimeSignal&)>;

    // Calls under way at the same time.
    static constexpr std::size_t most_pending = 1024;
    // Of one container, beside its initial one.
    static constexpr std::size_t most_processes = 1000;
    // For the output of a process that has ended to be read, before its streams are cleared away.
    static constexpr std::chrono::seconds patience{60};

    // engine outlives the desk; its observer is the desk from now on. tell is called from the loop, and must
    // not use the desk. endpoint is for the wording of errors.
    RuntimeDesk(EventLoop& loop, Endpoint endpoint, EngineRuntime& engine, RuntimeSettings settings,
                Tell tell);
    RuntimeDesk(const RuntimeDesk&) = delete;
    RuntimeDesk& operator=(const RuntimeDesk&) = delete;
    // Answers what is left, by an error. Containers and their pipes stay.
    ~RuntimeDesk();

    // The engine's stream stands: what was missed is made up for.
    void on_connected();
    // The engine answers nothing any more, because of error.
    void on_lost(const EngineError& error);
    // An initial process has ended, as the kernel has it. The engine tells that, too, and says it better; but
    // containerd 1.7 forgets what has ended while it was away.
    void on_kernel_exit(std::uint32_t pid, const ProcessEnd& end);

    void version(RuntimeReply reply) override;
    void image_config(const std::string& image, const std::optional<std::string>& name_space,
                      RuntimeReply reply) override;
    void list(RuntimeReply reply) override;
    void create(const std::string& id, const std::string& spec_json, const CreateOptions& options,
                RuntimeReply reply) override;
    void remove(const std::string& id, RuntimeReply reply) override;

    // In desk_tasks.cpp.
    void start(const std::string& id, const ProcessOptions& options, RuntimeReply reply) override;
    void delete_task(const std::string& id, RuntimeReply reply) override;
    void restore(const std::string& id, RuntimeReply reply) override;

    // In desk_calls.cpp.
    void exec(const std::string& id, const std::string& name, const std::string& process_json,
              const ProcessOptions& options, RuntimeReply reply) override;
    void signal(const std::string& id, const std::string& name, int signal, RuntimeReply reply) override;
    void resize(const std::string& id, const std::string& name, std::uint32_t width, std::uint32_t height,
                RuntimeReply reply) override;
    void close_stdin(const std::string& id, const std::string& name, RuntimeReply reply) override;
    void status(const std::string& id, RuntimeReply reply) override;
    void pause(const std::string& id, RuntimeReply reply) override;
    void resume(const std::string& id, RuntimeReply reply) override;
    void stats(const std::string& id, RuntimeReply reply) override;
    void list_pids(const std::string& id, RuntimeReply reply) override;
    void summary(const std::string& id, RuntimeReply reply) override;
    void update(const std::string& id, const std::string& resources_json, RuntimeReply reply) override;
    void checkpoint(const std::string& id, const std::string& folder, bool exit, RuntimeReply reply) override;

  private:
    using Entry = ManagedContainer;
    using Phase = ManagedContainer::Phase;
    using Kind = EngineError::Kind;
    struct Pending {
        std::string purpose;
        RuntimeReply reply;
    };

    void on_runtime_event(const RuntimeEvent& event) override;

    // --- answers
    // What is returned answers once, also when the engine is lost. Empty: reply was told that there are too
    // many.
    [[nodiscard]] RuntimeReply track(const std::string& purpose, RuntimeReply reply);
    void answer_all(const std::string& cause);
    [[nodiscard]] EngineError error(Kind kind, const std::string& purpose, std::string_view cause) const;

    // --- containers
    // Null: reply was told that there is none.
    Entry* find(const std::string& id, const std::string& purpose, const RuntimeReply& reply);
    Entry* find(const std::string& id);
    // Also refuses while something else is being done to it.
    Entry* find_idle(const std::string& id, const std::string& purpose, const RuntimeReply& reply);
    ManagedProcess* process_of(Entry& entry, const std::string& name);
    // The same process still, whatever has happened meanwhile; null: it has gone.
    ManagedProcess* process_of(const std::string& id, const std::string& name, std::uint64_t number);
    [[nodiscard]] bool is_alive(Entry& entry);
    void forget(const std::string& id);
    void remove_now(const std::string& id, const RuntimeReply& answer);
    void take_created(const std::string& id, const Result<ContainerRecord>& made, const RuntimeReply& answer);

    // --- tasks, in desk_tasks.cpp
    [[nodiscard]] std::optional<EngineError> make_pipes(const std::string& id, const std::string& name,
                                                        ManagedProcess& process,
                                                        const ProcessOptions& options, bool terminal);
    void take_task(const std::string& id, const Result<std::uint32_t>& pid, const RuntimeReply& answer);
    void take_start(const std::string& id, const Result<std::uint32_t>& pid, const RuntimeReply& answer);
    void undo_start(const std::string& id, const EngineError& why, const RuntimeReply& answer);
    // The caller's answer about a process that runs.
    [[nodiscard]] Result<RuntimeAnswer> running(ManagedProcess& process, const std::string& purpose);
    void drop_task(const std::string& id);
    void take_deleted(const std::string& id, const Result<ProcessEnd>& end, const RuntimeReply& answer);
    void close_stdin_now(const std::string& id, const std::string& name, const RuntimeReply& answer);

    // --- processes, in desk_calls.cpp
    void take_exec(const std::string& id, const std::string& name, std::uint64_t number,
                   const std::optional<EngineError>& refused, const RuntimeReply& answer);
    void take_exec_started(const std::string& id, const std::string& name, std::uint64_t number,
                           const Result<std::uint32_t>& pid, const RuntimeReply& answer);
    void end_exec(const std::string& id, const std::string& name, const EngineError& why);
    // An action on a container that has to run.
    void act(const std::string& id, const std::string& purpose, RuntimeReply reply,
             const std::function<void(const ContainerPlace&, EngineRuntime::Done)>& action);
    [[nodiscard]] EngineRuntime::Done done(const RuntimeReply& answer);

    // --- events, in desk_events.cpp
    void tell(Entry& entry, const std::string& name, const ProcessOrder::List& list);
    void tell(Entry& entry, RuntimeSignal signal);
    void take_exit(Entry& entry, const std::string& name, const ProcessEnd& end);
    void take_init_exit(Entry& entry, const ProcessEnd& end);
    void tell_oom(Entry& entry);
    // A process was told to have ended.
    void ended(Entry& entry, const std::string& name);
    void settle_when_drained(const std::string& id, const std::string& name);
    void settle(const std::string& id, const std::string& name);

    // --- what was missed, in desk_sync.cpp
    void load();
    [[nodiscard]] ProcessEnd lost_end(Entry& entry, const std::string& name);
    void sync(const std::string& id);
    void undo_creation(const std::string& id);
    void settle_rest(const std::string& id);
    void take_record(const std::string& id, const Result<ContainerRecord>& record);
    void take_state(const std::string& id, const Result<ProcessState>& state);
    void adopt(Entry& entry, const ProcessState& state);
    void sync_processes(const std::string& id);
    void sync_process(const std::string& id, const std::string& name, std::uint64_t number);

    EventLoop& loop_;
    const Endpoint endpoint_;
    EngineRuntime& engine_;
    const RuntimeSettings settings_;
    const Tell tell_;
    const StateFolder state_;
    std::uint64_t sequence_ = 0;
    std::uint64_t last_number_ = 0;
    std::map<std::string, Entry> containers_;
    std::unordered_map<std::uint64_t, Pending> pending_;
    std::uint64_t next_ = 0;
    std::shared_ptr<int> alive_ = std::make_shared<int>();  // for what is posted, and may come later
};

}  // namespace shorewatch
