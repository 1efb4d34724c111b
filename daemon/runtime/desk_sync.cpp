// How the desk makes up for what it has missed: while the engine could not be reached, and before there was
// this desk.
#include <algorithm>
#include <system_error>
#include <utility>

#include "daemon/runtime/runtime_desk.h"
#include "engines/engine_control.h"
#include "engines/support/log.h"

namespace shorewatch {

namespace {

bool has_label(const ContainerRecord& record, const char* name) {
    return std::ranges::any_of(record.labels, [&](const auto& label) { return label.first == name; });
}

bool is_gone(const EngineError& error) {
    return error.kind == EngineError::Kind::not_alive || error.kind == EngineError::Kind::not_found ||
           error.kind == EngineError::Kind::no_process;
}

}  // namespace

void RuntimeDesk::on_connected() {
    std::vector<std::string> ids;
    ids.reserve(containers_.size());
    for (const auto& [id, entry] : containers_)
        ids.push_back(id);
    for (const std::string& id : ids)
        sync(id);
}

void RuntimeDesk::on_lost(const EngineError& error) {
    for (auto& [id, entry] : containers_) {
        if (entry.phase == Phase::creating) entry.phase = Phase::lost_creating;
        if (entry.phase == Phase::starting) entry.phase = Phase::lost_starting;
        if (entry.phase == Phase::removing) entry.phase = Phase::ready;
        entry.removers.reset();
        for (auto& [name, process] : entry.processes) {
            process.settling = false;
            if (name != init_name && !process.order.is_answered()) process.abandoned = true;
        }
    }
    answer_all("the connection was lost before it answered, and it may have been done all the same: " +
               error.message);
}

void RuntimeDesk::on_kernel_exit(std::uint32_t pid, const ProcessEnd& end) {
    for (auto& [id, entry] : containers_) {
        ManagedProcess* const init = process_of(entry, init_name);
        if (init != nullptr && init->order.pid() == pid && !init->order.has_ended()) init->seen_end = end;
    }
}

// How a process has ended of which the engine knows nothing any more.
ProcessEnd RuntimeDesk::lost_end(Entry& entry, const std::string& name) {
    const ManagedProcess* const process = process_of(entry, name);
    const bool seen = process != nullptr && process->seen_end;
    return seen ? *process->seen_end : ProcessEnd{255, real_time_now()};
}

// What was made by the daemon before this one.
void RuntimeDesk::load() {
    for (const StateFolder::Kept& kept : state_.read()) {
        Entry& entry = containers_[kept.id];
        entry.place = {kept.name_space, kept.id};
        entry.phase = Phase::ready;
        entry.marked = kept.marked;
    }
}

void RuntimeDesk::sync(const std::string& id) {
    Entry& entry = *find(id);
    if (entry.phase == Phase::lost_creating) return undo_creation(id);
    if (entry.phase == Phase::lost_starting) {
        const EngineError why{Kind::unreachable, "the engine was lost while it was being started"};
        return undo_start(id, why, [](const Result<RuntimeAnswer>&) {});
    }
    engine_.container(entry.place,
                      [this, id](const Result<ContainerRecord>& record) { take_record(id, record); });
}

void RuntimeDesk::undo_creation(const std::string& id) {
    engine_.container(find(id)->place, [this, id](const Result<ContainerRecord>& record) {
        Entry* const entry = find(id);
        if (entry == nullptr) return;
        // It may be that there was one already, of somebody else.
        if (record && has_label(record.value(), own_label))
            return remove_now(id, [](const Result<RuntimeAnswer>&) {});
        if (record || record.error().kind == Kind::not_found) forget(id);
    });
}

void RuntimeDesk::take_record(const std::string& id, const Result<ContainerRecord>& record) {
    Entry* const entry = find(id);
    if (entry == nullptr) return;
    if (!record) {
        if (record.error().kind != Kind::not_found) return log::warning(record.error().message);
        // Somebody has deleted it behind our back.
        if (process_of(*entry, init_name) != nullptr)
            take_exit(*entry, init_name, lost_end(*entry, init_name));
        return forget(id);
    }
    // One that we did not come to make, and somebody else has made since.
    if (!has_label(record.value(), own_label)) return forget(id);
    entry->record = record.value();
    entry->remove_on_exit = has_label(entry->record, remove_label);
    engine_.task_state(entry->place,
                       [this, id](const Result<ProcessState>& state) { take_state(id, state); });
}

void RuntimeDesk::take_state(const std::string& id, const Result<ProcessState>& state) {
    Entry* const entry = find(id);
    if (entry == nullptr || entry->phase != Phase::ready) return;
    if (!state && !is_gone(state.error())) return log::warning(state.error().message);
    if (state && state.value().status == ProcessState::Status::created) {
        // Whoever has begun to start it is no more.
        entry->phase = Phase::lost_starting;
        return sync(id);
    }
    if (state && state.value().is_alive()) {
        adopt(*entry, state.value());
        return sync_processes(id);
    }
    const ProcessEnd end =
        state ? ProcessEnd{state.value().exit_code, state.value().exited} : lost_end(*entry, init_name);
    std::vector<std::string> others;
    for (const auto& [name, process] : entry->processes) {
        if (name != init_name) others.push_back(name);
    }
    for (const std::string& name : others)
        sync_process(id, name, entry->processes.at(name).number);
    if (process_of(*entry, init_name) != nullptr) {
        // As an event would have told it.
        state ? take_init_exit(*entry, end) : take_exit(*entry, init_name, end);
        return settle_rest(id);
    }
    if (!entry->marked && !state) return;
    ManagedProcess& process = entry->processes[init_name];
    process.number = ++last_number_;
    process.reachable = true;
    process.order = ProcessOrder::running(state ? state.value().pid : 0);
    // Whether its end was told, the mark says.
    if (entry->marked) {
        take_exit(*entry, init_name, end);
    } else {
        static_cast<void>(process.order.exited(end));
        entry->last_end = end;
        ended(*entry, init_name);
    }
    if (state) return;
    drop_task(id);
    if (entry->remove_on_exit) remove_now(id, [](const Result<RuntimeAnswer>&) {});
}

// What was being cleared away when the engine was lost.
void RuntimeDesk::settle_rest(const std::string& id) {
    std::vector<std::string> over;
    for (const auto& [name, process] : find(id)->processes) {
        if (process.order.is_over()) over.push_back(name);
    }
    for (const std::string& name : over)
        settle_when_drained(id, name);
}

void RuntimeDesk::adopt(Entry& entry, const ProcessState& state) {
    const std::string& id = entry.place.id;
    entry.paused = state.status != ProcessState::Status::running;
    ManagedProcess& process = entry.processes[init_name];
    if (process.number == 0) {
        process.number = ++last_number_;
        process.order = ProcessOrder::running(state.pid);
        process.terminal = state.terminal;
        process.reachable = true;
        // An end that comes now is of this run, whenever it began.
        process.begun = RealTime{};
        entry.marked = true;
    }
    if (process.pipes) return;
    try {
        process.pipes = ProcessPipes::find(loop_, state_.of(id), init_name,
                                           [this, id] { settle_when_drained(id, init_name); });
    } catch (const std::system_error& failure) {
        log::warning("container " + id + ": its streams can't be had: " + failure.what());
    }
}

void RuntimeDesk::sync_processes(const std::string& id) {
    engine_.processes(find(id)->place, [this, id](const Result<std::vector<ListedProcess>>& listed) {
        Entry* const entry = find(id);
        if (entry == nullptr || !listed) return;
        for (const ListedProcess& one : listed.value()) {
            if (!one.exec_name || *one.exec_name == init_name || entry->processes.contains(*one.exec_name))
                continue;
            ManagedProcess& process = entry->processes[*one.exec_name];
            process.number = ++last_number_;
            process.order = ProcessOrder::running(one.pid);
            process.reachable = true;
            process.begun = RealTime{};
        }
        std::vector<std::pair<std::string, std::uint64_t>> known;
        for (const auto& [name, process] : entry->processes) {
            if (name != init_name && !process.order.is_over()) known.emplace_back(name, process.number);
        }
        for (const auto& [name, number] : known)
            sync_process(id, name, number);
        settle_rest(id);
    });
}

void RuntimeDesk::sync_process(const std::string& id, const std::string& name, std::uint64_t number) {
    engine_.process_state(find(id)->place, name, [this, id, name, number](const Result<ProcessState>& state) {
        ManagedProcess* const process = process_of(id, name, number);
        if (process == nullptr || process->order.is_over()) return;
        Entry& entry = *find(id);
        if (!state && !is_gone(state.error())) return;
        const bool runs = state && state.value().status != ProcessState::Status::stopped;
        if (process->abandoned) {
            // Its caller was told that it was lost: it is not to run.
            const EngineError why{Kind::unreachable, "the engine was lost while it was being started"};
            if (runs) engine_.signal(entry.place, name, 9, [](const std::optional<EngineError>&) {});
            engine_.delete_process(entry.place, name, [](const Result<ProcessEnd>&) {});
            return end_exec(id, name, why);
        }
        if (runs) return;
        take_exit(entry, name,
                  state ? ProcessEnd{state.value().exit_code, state.value().exited} : lost_end(entry, name));
    });
}

}  // namespace shorewatch
