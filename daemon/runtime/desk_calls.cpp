// The desk's processes: those that are run in containers, and what is done to them and to containers that
// run.
#include <algorithm>
#include <array>
#include <filesystem>
#include <fstream>
#include <system_error>
#include <utility>

#include "daemon/runtime/runtime_desk.h"
#include "engines/engine_control.h"
#include "engines/error_text.h"
#include "engines/support/text.h"

namespace shorewatch {

namespace {

namespace fs = std::filesystem;
using Kind = EngineError::Kind;

constexpr std::uint32_t largest_terminal = 65535;
// Of a process's arguments, in bytes.
constexpr std::size_t longest_command = 4096;

std::string engine_name(const std::string& name) {
    return name == init_name ? std::string() : name;
}

std::string purpose_of(const char* what, const std::string& name, const std::string& id) {
    return std::string(what) + " process " + printable(name.substr(0, 300)) + " of container " +
           printable(id);
}

std::vector<std::string> arguments_of(std::uint32_t pid) {
    std::ifstream file("/proc/" + std::to_string(pid) + "/cmdline", std::ios::binary);
    std::string text(longest_command, '\0');
    file.read(text.data(), static_cast<std::streamsize>(text.size()));
    text.resize(static_cast<std::size_t>(file.gcount()));
    std::vector<std::string> arguments;
    for (std::string_view rest = text; !rest.empty();) {
        const std::size_t end = std::min(rest.find('\0'), rest.size());
        arguments.push_back(valid_utf8(rest.substr(0, end)));
        rest.remove_prefix(std::min(end + 1, rest.size()));
    }
    return arguments;
}

// The end of a process whose program can't be run.
std::optional<ProcessEnd> end_of(const EngineError& why) {
    if (why.kind == Kind::program_not_found) return ProcessEnd{127, real_time_now()};
    if (why.kind == Kind::program_not_executable) return ProcessEnd{126, real_time_now()};
    return std::nullopt;
}

}  // namespace

EngineRuntime::Done RuntimeDesk::done(const RuntimeReply& answer) {
    return [answer](std::optional<EngineError> refused) {
        refused ? answer(std::move(*refused)) : answer(RuntimeAnswer());
    };
}

// --- exec
// -------------------------------------------------------------------------------------------------

void RuntimeDesk::exec(const std::string& id, const std::string& name, const std::string& process_json,
                       const ProcessOptions& options, RuntimeReply reply) {
    const std::string purpose = purpose_of("run", name, id);
    const auto refuse = [&](Kind kind, std::string_view cause) { reply(error(kind, purpose, cause)); };
    Entry* const entry = find(id, purpose, reply);
    if (entry == nullptr) return;
    if (!is_containerd_name(name) || name == init_name) {
        return refuse(Kind::invalid,
                      "process is no name: expected up to 76 letters and digits, and between them one . _ or "
                      "-, but not init");
    }
    if (process_json.size() > EngineRuntime::longest_spec)
        return refuse(Kind::invalid_spec, "process_json is longer than 1 MiB");
    const Result<bool> wanted = engine_.wants_terminal(process_json);
    if (!wanted) return reply(wanted.error());
    const bool terminal = options.terminal.value_or(wanted.value() && !options.discard);
    if (options.discard && terminal) return refuse(Kind::invalid, "option Discard does not go with Terminal");
    if (!is_alive(*entry)) return refuse(Kind::not_alive, "nothing of it runs; start it first");
    if (process_of(*entry, name) != nullptr) return refuse(Kind::conflict, "the name is in use");
    if (entry->processes.size() > most_processes)
        return refuse(Kind::busy, "it has " + std::to_string(most_processes) + " already");
    const RuntimeReply answer = track(purpose, std::move(reply));
    if (!answer) return;

    ManagedProcess& process = entry->processes[name];
    if (const auto failure = make_pipes(id, name, process, options, terminal)) {
        entry->processes.erase(name);
        return answer(*failure);
    }
    ProcessStreams streams;
    if (process.pipes) streams = process.pipes->streams(terminal);
    streams.terminal = terminal;
    engine_.exec(
        entry->place, name, process_json, streams,
        [this, id, name, number = process.number, answer](const std::optional<EngineError>& refused) {
            take_exec(id, name, number, refused, answer);
        });
}

void RuntimeDesk::take_exec(const std::string& id, const std::string& name, std::uint64_t number,
                            const std::optional<EngineError>& refused, const RuntimeReply& answer) {
    ManagedProcess* const process = process_of(id, name, number);
    if (process == nullptr)
        return answer(error(Kind::not_alive, purpose_of("run", name, id), "its container has ended"));
    if (refused) {
        end_exec(id, name, *refused);
        return answer(*refused);
    }
    Entry& entry = *find(id);
    tell(entry, name, process->order.added(0));
    engine_.start(entry.place, name, [this, id, name, number, answer](const Result<std::uint32_t>& pid) {
        take_exec_started(id, name, number, pid, answer);
    });
}

void RuntimeDesk::take_exec_started(const std::string& id, const std::string& name, std::uint64_t number,
                                    const Result<std::uint32_t>& pid, const RuntimeReply& answer) {
    ManagedProcess* const process = process_of(id, name, number);
    if (process == nullptr)
        return answer(error(Kind::not_alive, purpose_of("run", name, id), "its container has ended"));
    Entry& entry = *find(id);
    if (!pid) {
        const EngineError& why = pid.error();
        tell(entry, name, process->order.failed(why.message, end_of(why)));
        engine_.delete_process(entry.place, name,
                               [this, id, name, number, why, answer](const Result<ProcessEnd>&) {
                                   if (process_of(id, name, number) != nullptr) end_exec(id, name, why);
                                   answer(why);
                               });
        return;
    }
    process->reachable = true;
    // Nobody opens them by name any more.
    if (process->pipes) process->pipes->remove_names();
    if (process->close_stdin) close_stdin_now(id, name, nullptr);
    tell(entry, name, process->order.started(pid.value()));
    RunningProcess started;
    started.pid = pid.value();
    if (process->pipes) *started.ends = process->pipes->take_ends();
    answer(RuntimeAnswer(std::move(started)));
    const bool ended_already = process->order.has_ended();
    tell(entry, name, process->order.answered(pid.value()));
    if (ended_already) ended(entry, name);
}

void RuntimeDesk::end_exec(const std::string& id, const std::string& name, const EngineError& why) {
    Entry* const entry = find(id);
    ManagedProcess* const process = entry != nullptr ? process_of(*entry, name) : nullptr;
    if (process == nullptr) return;
    tell(*entry, name, process->order.failed(why.message, end_of(why)));
    if (process->pipes) process->pipes->remove_names();
    entry->processes.erase(name);
}

// --- processes
// --------------------------------------------------------------------------------------------

void RuntimeDesk::signal(const std::string& id, const std::string& name, int signal, RuntimeReply reply) {
    const std::string purpose = purpose_of("send a signal to", name, id);
    Entry* const entry = find(id, purpose, reply);
    if (entry == nullptr) return;
    ManagedProcess* const process = process_of(*entry, name);
    if (process != nullptr && process->order.is_over())
        return reply(error(Kind::no_process, purpose, "it has ended"));
    if (process == nullptr && !is_containerd_name(name))
        return reply(error(Kind::invalid, purpose, "process is no name"));
    const RuntimeReply answer = track(purpose, std::move(reply));
    if (answer) engine_.signal(entry->place, engine_name(name), signal, done(answer));
}

void RuntimeDesk::resize(const std::string& id, const std::string& name, std::uint32_t width,
                         std::uint32_t height, RuntimeReply reply) {
    const std::string purpose = purpose_of("resize the terminal of", name, id);
    Entry* const entry = find(id, purpose, reply);
    if (entry == nullptr) return;
    const auto refuse = [&](Kind kind, std::string_view cause) { reply(error(kind, purpose, cause)); };
    if (width == 0 || height == 0 || width > largest_terminal || height > largest_terminal)
        return refuse(Kind::invalid, "width and height are 1 to 65535");
    ManagedProcess* const process = process_of(*entry, name);
    if (process == nullptr && !is_containerd_name(name)) return refuse(Kind::invalid, "process is no name");
    if (process != nullptr && process->order.is_over()) return refuse(Kind::no_process, "it has ended");
    // The engine would take it for done.
    if (process != nullptr && process->terminal && !*process->terminal)
        return refuse(Kind::not_supported, "it has no terminal");
    const RuntimeReply answer = track(purpose, std::move(reply));
    if (answer) engine_.resize(entry->place, engine_name(name), width, height, done(answer));
}

void RuntimeDesk::close_stdin(const std::string& id, const std::string& name, RuntimeReply reply) {
    const std::string purpose = purpose_of("close the input of", name, id);
    Entry* const entry = find(id, purpose, reply);
    if (entry == nullptr) return;
    ManagedProcess* const process = process_of(*entry, name);
    if (process == nullptr && !is_containerd_name(name))
        return reply(error(Kind::invalid, purpose, "process is no name"));
    if (process != nullptr && process->order.is_over())
        return reply(error(Kind::no_process, purpose, "it has ended"));
    if (process != nullptr && !process->reachable) {
        process->close_stdin = true;
        return reply(RuntimeAnswer());
    }
    const RuntimeReply answer = track(purpose, std::move(reply));
    if (answer) close_stdin_now(id, name, answer);
}

// --- containers that run
// ----------------------------------------------------------------------------------

void RuntimeDesk::act(const std::string& id, const std::string& purpose, RuntimeReply reply,
                      const std::function<void(const ContainerPlace&, EngineRuntime::Done)>& action) {
    Entry* const entry = find(id, purpose, reply);
    if (entry == nullptr) return;
    const RuntimeReply answer = track(purpose, std::move(reply));
    if (answer) action(entry->place, done(answer));
}

void RuntimeDesk::status(const std::string& id, RuntimeReply reply) {
    const std::string purpose = doing("look at", id);
    Entry* const entry = find(id, purpose, reply);
    if (entry == nullptr) return;
    const RuntimeReply answer = track(purpose, std::move(reply));
    if (!answer) return;
    engine_.task_state(entry->place, [answer](const Result<ProcessState>& state) {
        static constexpr std::array<const char*, 6> names{"unknown", "created", "running",
                                                          "stopped", "paused",  "pausing"};
        if (!state) return answer(state.error());
        answer(RuntimeAnswer(std::string(names.at(static_cast<std::size_t>(state.value().status)))));
    });
}

void RuntimeDesk::pause(const std::string& id, RuntimeReply reply) {
    act(id, doing("pause", id), std::move(reply),
        [this](const ContainerPlace& place, EngineRuntime::Done done) {
            engine_.pause(place, std::move(done));
        });
}

void RuntimeDesk::resume(const std::string& id, RuntimeReply reply) {
    act(id, doing("resume", id), std::move(reply),
        [this](const ContainerPlace& place, EngineRuntime::Done done) {
            engine_.resume(place, std::move(done));
        });
}

void RuntimeDesk::stats(const std::string& id, RuntimeReply reply) {
    const std::string purpose = doing("read the statistics of", id);
    Entry* const entry = find(id, purpose, reply);
    if (entry == nullptr) return;
    const RuntimeReply answer = track(purpose, std::move(reply));
    if (!answer) return;
    engine_.metrics(entry->place, [answer](Result<Metrics> told) {
        told ? answer(RuntimeAnswer(std::move(told.value()))) : answer(told.error());
    });
}

void RuntimeDesk::list_pids(const std::string& id, RuntimeReply reply) {
    const std::string purpose = doing("list the processes of", id);
    Entry* const entry = find(id, purpose, reply);
    if (entry == nullptr) return;
    const RuntimeReply answer = track(purpose, std::move(reply));
    if (!answer) return;
    engine_.processes(entry->place, [answer](const Result<std::vector<ListedProcess>>& told) {
        if (!told) return answer(told.error());
        std::vector<std::uint32_t> pids;
        for (const ListedProcess& process : told.value())
            pids.push_back(process.pid);
        answer(RuntimeAnswer(std::move(pids)));
    });
}

void RuntimeDesk::summary(const std::string& id, RuntimeReply reply) {
    const std::string purpose = doing("list the processes of", id);
    Entry* const entry = find(id, purpose, reply);
    if (entry == nullptr) return;
    const RuntimeReply answer = track(purpose, std::move(reply));
    if (!answer) return;
    engine_.processes(entry->place, [this, id, answer](const Result<std::vector<ListedProcess>>& told) {
        if (!told) return answer(told.error());
        Entry* const found = find(id);
        const ManagedProcess* const init = found != nullptr ? process_of(*found, init_name) : nullptr;
        std::vector<SummaryRow> rows;
        for (const ListedProcess& process : told.value()) {
            const bool is_init = init != nullptr && init->order.pid() == process.pid;
            rows.push_back({process.pid, is_init ? init_name : process.exec_name.value_or(""),
                            arguments_of(process.pid)});
        }
        answer(RuntimeAnswer(std::move(rows)));
    });
}

void RuntimeDesk::update(const std::string& id, const std::string& resources_json, RuntimeReply reply) {
    const std::string purpose = doing("limit", id);
    if (resources_json.size() > EngineRuntime::longest_spec)
        return reply(error(Kind::invalid_spec, purpose, "linux_resources_json is longer than 1 MiB"));
    act(id, purpose, std::move(reply),
        [this, resources_json](const ContainerPlace& place, EngineRuntime::Done done) {
            engine_.update(place, resources_json, std::move(done));
        });
}

void RuntimeDesk::checkpoint(const std::string& id, const std::string& folder, bool exit,
                             RuntimeReply reply) {
    const std::string purpose = doing("write a checkpoint of", id);
    Entry* const entry = find(id, purpose, reply);
    if (entry == nullptr) return;
    if (folder.empty() || folder.front() != '/')
        return reply(error(Kind::invalid, purpose, "directory is no absolute path"));
    if (!is_alive(*entry))
        return reply(error(Kind::not_alive, purpose, "nothing of it runs; start it first"));
    std::error_code ignored;
    if (fs::exists(fs::symlink_status(folder, ignored)))
        return reply(error(Kind::file_exists, purpose, "there is a " + printable(folder) + " already"));
    if (!fs::is_directory(fs::path(folder).parent_path(), ignored)) {
        return reply(
            error(Kind::no_file, purpose,
                  "there is no directory that the daemon sees for " + printable(folder) + " to be in"));
    }
    const RuntimeReply answer = track(purpose, std::move(reply));
    if (!answer) return;
    // The runtime makes it: the daemon need not be able to write there.
    engine_.checkpoint(entry->place, folder, exit,
                       [folder, answer](const std::optional<EngineError>& refused) {
                           if (!refused) return answer(RuntimeAnswer());
                           // Of what was written nobody has any use.
                           std::error_code failure;
                           fs::remove_all(folder, failure);
                           answer(*refused);
                       });
}

}  // namespace shorewatch
