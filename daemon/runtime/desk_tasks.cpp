// The desk's tasks: how the initial process of a container is started, attached to and deleted.
#include <filesystem>
#include <system_error>
#include <utility>

#include "daemon/runtime/runtime_desk.h"
#include "engines/engine_control.h"
#include "engines/error_text.h"

namespace shorewatch {

namespace {

using Kind = EngineError::Kind;

// What a shell would say of a program that can't be run; nothing: it was something else.
std::optional<ProcessEnd> end_of(const EngineError& why) {
    if (why.kind == Kind::program_not_found) return ProcessEnd{127, real_time_now()};
    if (why.kind == Kind::program_not_executable) return ProcessEnd{126, real_time_now()};
    return std::nullopt;
}

// Nobody knows how it ended.
ProcessEnd unknown_end() {
    return {255, real_time_now()};
}

}  // namespace

std::optional<EngineError> RuntimeDesk::make_pipes(const std::string& id, const std::string& name,
                                                   ManagedProcess& process, const ProcessOptions& options,
                                                   bool terminal) {
    process.number = ++last_number_;
    process.terminal = terminal;
    if (options.discard) return std::nullopt;
    try {
        process.pipes = std::make_unique<ProcessPipes>(
            loop_, state_.of(id), name,
            ProcessPipes::Wanted{.in = options.with_stdin, .out = true, .error = !terminal},
            [this, id, name] { settle_when_drained(id, name); });
        return std::nullopt;
    } catch (const std::system_error& failure) {
        return error(Kind::engine, doing("start", id), failure.what());
    }
}

// --- start
// ------------------------------------------------------------------------------------------------

void RuntimeDesk::start(const std::string& id, const ProcessOptions& options, RuntimeReply reply) {
    const std::string purpose = doing("start", id);
    Entry* const entry = find_idle(id, purpose, reply);
    if (entry == nullptr) return;
    const auto refuse = [&](Kind kind, std::string_view cause) { reply(error(kind, purpose, cause)); };
    if (process_of(*entry, init_name) != nullptr)
        return refuse(Kind::conflict, "it was started already; its task has to be deleted before");
    const bool terminal = options.terminal.value_or(entry->record.terminal && !options.discard);
    if (options.discard && terminal) return refuse(Kind::invalid, "option Discard does not go with Terminal");
    if (!options.checkpoint.empty() && options.checkpoint.front() != '/')
        return refuse(Kind::invalid, "option CheckpointDirectory is no absolute path");
    // runc would make it, and fail over its being empty.
    std::error_code ignored;
    if (!options.checkpoint.empty() && !std::filesystem::is_directory(options.checkpoint, ignored))
        return refuse(Kind::no_file, "option CheckpointDirectory names no directory that the daemon sees");
    const RuntimeReply answer = track(purpose, std::move(reply));
    if (!answer) return;

    ManagedProcess& process = entry->processes[init_name];
    auto failure = make_pipes(id, init_name, process, options, terminal);
    try {
        if (!failure) state_.mark(id);
    } catch (const std::system_error& wrong) {
        failure = error(Kind::engine, purpose, wrong.what());
    }
    if (failure) {
        drop_task(id);
        return answer(*failure);
    }
    entry->phase = Phase::starting;
    entry->marked = true;
    entry->oom = entry->paused = false;
    ProcessStreams streams;
    if (process.pipes) streams = process.pipes->streams(terminal);
    streams.terminal = terminal;
    engine_.create_task(entry->place, streams, options.checkpoint,
                        [this, id, answer](const Result<std::uint32_t>& pid) { take_task(id, pid, answer); });
}

void RuntimeDesk::take_task(const std::string& id, const Result<std::uint32_t>& pid,
                            const RuntimeReply& answer) {
    Entry* const entry = find(id);
    ManagedProcess* const process = entry != nullptr ? process_of(*entry, init_name) : nullptr;
    if (process == nullptr)
        return answer(error(Kind::engine, doing("start", id), "it was removed meanwhile"));
    if (!pid) return undo_start(id, pid.error(), answer);
    process->reachable = true;
    tell(*entry, init_name, process->order.added(pid.value()));
    if (process->close_stdin) close_stdin_now(id, init_name, nullptr);
    engine_.start(entry->place, {}, [this, id, answer](const Result<std::uint32_t>& started) {
        take_start(id, started, answer);
    });
}

void RuntimeDesk::take_start(const std::string& id, const Result<std::uint32_t>& pid,
                             const RuntimeReply& answer) {
    Entry* const entry = find(id);
    ManagedProcess* const process = entry != nullptr ? process_of(*entry, init_name) : nullptr;
    if (process == nullptr)
        return answer(error(Kind::engine, doing("start", id), "it was removed meanwhile"));
    if (!pid) return undo_start(id, pid.error(), answer);
    entry->phase = Phase::ready;
    // Who has the answer has been told of the start, whatever becomes of us then, and not yet of the end.
    tell(*entry, init_name, process->order.started(pid.value()));
    RunningProcess started;
    started.pid = pid.value();
    if (process->pipes) *started.ends = process->pipes->take_ends();
    answer(RuntimeAnswer(std::move(started)));
    const bool ended_already = process->order.has_ended();
    tell(*entry, init_name, process->order.answered(pid.value()));
    if (ended_already) ended(*entry, init_name);
}

void RuntimeDesk::undo_start(const std::string& id, const EngineError& why, const RuntimeReply& answer) {
    Entry* const entry = find(id);
    if (entry == nullptr) return answer(why);
    engine_.remove_task(entry->place, [this, id, why, answer](const std::optional<EngineError>& left) {
        Entry* const found = find(id);
        if (found == nullptr) return answer(why);
        if (left && left->kind == Kind::unreachable) {
            found->phase = Phase::lost_starting;
            return answer(why);
        }
        if (ManagedProcess* const process = process_of(*found, init_name))
            tell(*found, init_name, process->order.failed(why.message, end_of(why)));
        drop_task(id);
        found->phase = Phase::ready;
        answer(why);
        if (found->remove_on_exit) remove_now(id, [](const Result<RuntimeAnswer>&) {});
    });
}

// --- attach
// -----------------------------------------------------------------------------------------------

Result<RuntimeAnswer> RuntimeDesk::running(ManagedProcess& process, const std::string& purpose) {
    RunningProcess told;
    told.pid = process.order.pid();
    try {
        if (process.pipes) *told.ends = process.pipes->open_ends();
    } catch (const std::system_error& failure) {
        return error(Kind::engine, purpose, failure.what());
    }
    return RuntimeAnswer(std::move(told));
}

void RuntimeDesk::restore(const std::string& id, RuntimeReply reply) {
    const std::string purpose = doing("attach to", id);
    Entry* const entry = find_idle(id, purpose, reply);
    if (entry == nullptr) return;
    const RuntimeReply answer = track(purpose, std::move(reply));
    if (!answer) return;
    engine_.task_state(entry->place, [this, id, purpose, answer](const Result<ProcessState>& state) {
        Entry* const found = find(id);
        RunningProcess over;
        over.alive = false;
        if (found == nullptr) return answer(RuntimeAnswer(std::move(over)));
        const bool none =
            !state && (state.error().kind == Kind::not_alive || state.error().kind == Kind::not_found);
        if (!state && !none) return answer(state.error());
        if (state && state.value().is_alive()) {
            adopt(*found, state.value());
            return answer(running(*process_of(*found, init_name), purpose));
        }
        delete_task(id, [answer, over](const Result<RuntimeAnswer>& deleted) {
            deleted ? answer(RuntimeAnswer(over)) : answer(deleted.error());
        });
    });
}

// --- delete
// -----------------------------------------------------------------------------------------------

void RuntimeDesk::delete_task(const std::string& id, RuntimeReply reply) {
    const std::string purpose = doing("delete the task of", id);
    Entry* const entry = find_idle(id, purpose, reply);
    if (entry == nullptr) return;
    const RuntimeReply answer = track(purpose, std::move(reply));
    if (!answer) return;
    entry->phase = Phase::removing;
    engine_.delete_task(entry->place,
                        [this, id, answer](const Result<ProcessEnd>& end) { take_deleted(id, end, answer); });
}

void RuntimeDesk::take_deleted(const std::string& id, const Result<ProcessEnd>& end,
                               const RuntimeReply& answer) {
    Entry* const entry = find(id);
    if (entry == nullptr) return answer(RuntimeAnswer(unknown_end()));
    entry->phase = Phase::ready;
    const bool gone = !end && (end.error().kind == Kind::not_alive || end.error().kind == Kind::not_found);
    if (!end && !gone) return answer(end.error());
    const bool known = process_of(*entry, init_name) != nullptr;
    const ProcessEnd how = end ? end.value() : known && entry->last_end ? *entry->last_end : unknown_end();
    if (known) take_exit(*entry, init_name, how);
    drop_task(id);
    answer(RuntimeAnswer(known && entry->last_end ? *entry->last_end : how));
}

void RuntimeDesk::drop_task(const std::string& id) {
    Entry* const entry = find(id);
    if (entry == nullptr) return;
    entry->processes.clear();
    entry->marked = entry->paused = false;
    state_.unmark(id);
    remove_pipes(state_.of(id));
}

// --- input
// ------------------------------------------------------------------------------------------------

void RuntimeDesk::close_stdin_now(const std::string& id, const std::string& name,
                                  const RuntimeReply& answer) {
    Entry* const entry = find(id);
    if (entry == nullptr) return;
    engine_.close_stdin(entry->place, name == init_name ? std::string() : name,
                        [answer](const std::optional<EngineError>& refused) {
                            if (!answer) return;
                            refused ? answer(*refused) : answer(RuntimeAnswer());
                        });
}

}  // namespace shorewatch
