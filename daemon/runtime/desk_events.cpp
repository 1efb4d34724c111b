// The desk's events: what the engine tells, in the order in which it is to be told, and what follows from it.
#include <algorithm>
#include <utility>

#include "daemon/runtime/runtime_desk.h"
#include "engines/engine_control.h"
#include "engines/support/log.h"

namespace shorewatch {

namespace {

using What = ProcessOrder::Told::What;
using Type = RuntimeSignal::Type;

Type type_of(What what, bool init) {
    switch (what) {
        case What::added:
            return init ? Type::create : Type::exec_added;
        case What::started:
            return init ? Type::start : Type::exec_started;
        case What::exited:
            break;
    }
    return Type::exit;
}

// Has the kernel killed for want of memory, by the container's own count?
bool counts_oom(const Metrics& metrics) {
    return std::ranges::any_of(metrics.figures, [](const Metric& figure) {
        const auto* const count = std::get_if<std::uint64_t>(&figure.value);
        return count != nullptr && *count > 0 &&
               (figure.name == "memory.oom_control.oom_kill" || figure.name == "memory.events.oom_kill");
    });
}

}  // namespace

// --- telling
// ----------------------------------------------------------------------------------------------

void RuntimeDesk::tell(Entry& entry, RuntimeSignal signal) {
    signal.container = entry.place.id;
    signal.sequence = ++sequence_;
    tell_(signal);
}

void RuntimeDesk::tell(Entry& entry, const std::string& name, const ProcessOrder::List& list) {
    for (const ProcessOrder::Told& told : list) {
        const bool init = name == init_name;
        RuntimeSignal signal;
        signal.type = type_of(told.what, init);
        signal.process = name;
        if (told.pid != 0) signal.pid = told.pid;
        signal.error = told.error;
        if (told.what == What::exited) {
            if (told.end) signal.exit_code = told.end->exit_code;
            if (told.end) signal.exited = told.end->time;
            signal.oom_killed = entry.oom;
            if (init) {
                entry.last_end = told.end;
                entry.last_oom = entry.oom;
                entry.marked = false;
                state_.unmark(entry.place.id);
            }
        }
        tell(entry, std::move(signal));
    }
}

void RuntimeDesk::tell_oom(Entry& entry) {
    const ManagedProcess* const init = process_of(entry, init_name);
    if (init == nullptr || init->order.is_over()) return;
    entry.oom = true;
    RuntimeSignal signal;
    signal.type = Type::oom;
    signal.process = init_name;
    tell(entry, std::move(signal));
}

// --- what the engine tells
// --------------------------------------------------------------------------------

void RuntimeDesk::on_runtime_event(const RuntimeEvent& event) {
    using Event = RuntimeEvent::Type;
    Entry* const entry = find(event.place.id);
    if (entry == nullptr || entry->place.name_space != event.place.name_space) return;
    const std::string name = event.exec_name.empty() ? init_name : event.exec_name;
    ManagedProcess* const process = process_of(*entry, name);
    // Of processes that others run in the container.
    if (process == nullptr) return;
    switch (event.type) {
        case Event::created:
        case Event::exec_added:
            return tell(*entry, name, process->order.added(event.pid));
        case Event::started:
        case Event::exec_started:
            return tell(*entry, name, process->order.started(event.pid));
        case Event::oom:
            return tell_oom(*entry);
        case Event::paused:
        case Event::resumed: {
            const bool paused = event.type == Event::paused;
            if (process->order.is_over() || std::exchange(entry->paused, paused) == paused) return;
            RuntimeSignal signal;
            signal.type = paused ? Type::paused : Type::resumed;
            signal.process = init_name;
            return tell(*entry, std::move(signal));
        }
        case Event::exited:
            // Told once more, of another process that had the name before.
            if (event.end.time && *event.end.time < process->begun) return;
            return name == init_name ? take_init_exit(*entry, event.end) : take_exit(*entry, name, event.end);
        case Event::deleted: {
            if (!event.exec_name.empty()) return;
            // Where the shim has died, nobody tells of the others' ends: they have died with the first one.
            std::vector<std::string> left;
            for (const auto& [other, its] : entry->processes) {
                if (other != init_name && its.order.is_answered() && !its.order.has_ended())
                    left.push_back(other);
            }
            for (const std::string& other : left)
                take_exit(*entry, other, {137, real_time_now()});
            return;
        }
    }
}

void RuntimeDesk::take_init_exit(Entry& entry, const ProcessEnd& end) {
    ManagedProcess& init = *process_of(entry, init_name);
    if (init.order.has_ended()) return;
    if (entry.oom || end.exit_code == 0 || !init.order.is_started()) return take_exit(entry, init_name, end);
    // The word that memory ran out may be on its way still, and belongs before the end.
    engine_.metrics(entry.place,
                    [this, id = entry.place.id, number = init.number, end](const Result<Metrics>& metrics) {
                        ManagedProcess* const process = process_of(id, init_name, number);
                        if (process == nullptr || process->order.has_ended()) return;
                        Entry& found = *find(id);
                        if (!found.oom && metrics && counts_oom(metrics.value())) tell_oom(found);
                        take_exit(found, init_name, end);
                    });
}

void RuntimeDesk::take_exit(Entry& entry, const std::string& name, const ProcessEnd& end) {
    ManagedProcess* const process = process_of(entry, name);
    if (process == nullptr || process->order.is_over()) return;
    tell(entry, name, process->order.exited(end));
    if (process->order.is_over()) ended(entry, name);
}

// --- what follows
// -----------------------------------------------------------------------------------------

void RuntimeDesk::ended(Entry& entry, const std::string& name) {
    ManagedProcess* const process = process_of(entry, name);
    if (process == nullptr) return;
    if (process->pipes) process->pipes->close_stdin();
    const std::string id = entry.place.id;
    if (name == init_name) entry.paused = false;
    process->patience = std::make_unique<Timer>(loop_, [this, id, name] { settle(id, name); });
    process->patience->arm_after(patience);
    settle_when_drained(id, name);
}

void RuntimeDesk::settle_when_drained(const std::string& id, const std::string& name) {
    Entry* const entry = find(id);
    ManagedProcess* const process = entry != nullptr ? process_of(*entry, name) : nullptr;
    if (process == nullptr || !process->order.is_over()) return;
    if (process->pipes && !process->pipes->is_drained()) return;
    // From the loop: what has called may still be at work with the process.
    loop_.post([weak = std::weak_ptr(alive_), this, id, name] {
        if (!weak.expired()) settle(id, name);
    });
}

// The engine drops what it has of a process that has ended, and its output with it.
void RuntimeDesk::settle(const std::string& id, const std::string& name) {
    Entry* const entry = find(id);
    ManagedProcess* const process = entry != nullptr ? process_of(*entry, name) : nullptr;
    if (process == nullptr || !process->order.is_over() || process->settling) return;
    if (process->patience) process->patience->disarm();
    if (process->pipes) process->pipes->remove_names();
    if (name != init_name) {
        process->settling = true;
        engine_.delete_process(entry->place, name,
                               [this, id, name, number = process->number](const Result<ProcessEnd>& deleted) {
                                   if (!deleted) log::debug(deleted.error().message);
                                   if (process_of(id, name, number) != nullptr)
                                       find(id)->processes.erase(name);
                               });
        return;
    }
    if (!entry->remove_on_exit || entry->phase != Phase::ready) return;
    process->settling = true;
    const auto others = std::make_shared<std::vector<RuntimeReply>>();
    entry->removers = others;
    remove(id, [this, id, others](const Result<RuntimeAnswer>& removed) {
        if (!removed) log::warning("container " + id + " stays: " + removed.error().message);
        if (Entry* const kept = find(id)) kept->removers.reset();
        for (const RuntimeReply& answer : *others)
            removed ? answer(RuntimeAnswer()) : answer(removed.error());
    });
}

}  // namespace shorewatch
