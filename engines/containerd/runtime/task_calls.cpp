// What is done to tasks and their processes.
#include <array>
#include <csignal>
#include <memory>
#include <utility>

#include "engines/containerd/containerd_session.h"
#include "engines/containerd/messages.h"
#include "engines/containerd/runtime/containerd_runtime.h"
#include "engines/containerd/runtime/metrics.h"
#include "engines/containerd/runtime/runtime_error.h"
#include "engines/containerd/runtime/runtime_messages.h"
#include "engines/containerd/runtime/spec_json.h"

namespace shorewatch::containerd {

namespace {

using Kind = EngineError::Kind;

std::string purpose_of(std::string_view what, const std::string& process, const ContainerPlace& place) {
    if (process.empty()) return doing(what, place.id);
    return std::string(what) + " process " + process + " of container " + place.id;
}

}  // namespace

void ContainerdClient::Runtime::task_state(const ContainerPlace& place, Reply<ProcessState> reply) {
    process_state(place, {}, std::move(reply));
}

void ContainerdClient::Runtime::process_state(const ContainerPlace& place, const std::string& process,
                                              Reply<ProcessState> reply) {
    ask_for<ProcessState>({place, "tasks.v1.Tasks/Get", process_request(place.id, process),
                           purpose_of("look at", process, place)},
                          decode_process_state, std::move(reply));
}

void ContainerdClient::Runtime::delete_task(const ContainerPlace& place, Reply<ProcessEnd> reply) {
    const std::string purpose = doing("delete the task of", place.id);
    const auto remove = [this, place, purpose, reply] {
        ask_for<ProcessEnd>({place, "tasks.v1.Tasks/Delete", process_request(place.id, {}), purpose},
                            decode_deleted, reply);
    };
    // containerd would stop to look for its running out of memory before it refuses.
    task_state(place, [this, purpose, remove, reply](const Result<ProcessState>& state) {
        if (!state) return reply(state.error());
        if (!state.value().is_alive()) return remove();
        reply(make_error(Kind::conflict, purpose, owner_.endpoint_, "it runs; end it first"));
    });
}

void ContainerdClient::Runtime::remove_task(const ContainerPlace& place, Done reply) {
    const std::string purpose = doing("remove the task of", place.id);
    const auto quietly = [this, place, purpose](const char* method, std::string message,
                                                std::function<void()> then) {
        act({place, method, std::move(message), purpose},
            [then = std::move(then)](const std::optional<EngineError>&) { then(); });
    };
    const auto remove = [this, place, purpose, reply] {
        act({place, "tasks.v1.Tasks/Delete", process_request(place.id, {}), purpose},
            [reply](std::optional<EngineError> error) {
                const bool gone = error && (error->kind == Kind::not_alive || error->kind == Kind::not_found);
                reply(gone ? std::nullopt : std::move(error));
            });
    };
    const auto wait = [quietly, place, remove] {
        quietly("tasks.v1.Tasks/Wait", process_request(place.id, {}), remove);
    };
    const auto kill = [quietly, place, wait] {
        quietly("tasks.v1.Tasks/Kill", signal_request(place.id, {}, SIGKILL), wait);
    };
    task_state(place, [quietly, place, remove, kill, reply](const Result<ProcessState>& state) {
        if (!state) {
            const bool gone = state.error().kind == Kind::not_alive || state.error().kind == Kind::not_found;
            return reply(gone ? std::nullopt : std::optional(state.error()));
        }
        if (state.value().status == ProcessState::Status::stopped) return remove();
        if (state.value().status != ProcessState::Status::paused) return kill();
        // What is frozen does not end.
        quietly("tasks.v1.Tasks/Resume", process_request(place.id, {}), kill);
    });
}

void ContainerdClient::Runtime::exec(const ContainerPlace& place, const std::string& name,
                                     const std::string& process_json, const ProcessStreams& streams,
                                     Done reply) {
    const std::string purpose = purpose_of("run", name, place);
    std::string json;
    try {
        json = process_with_terminal(process_json, streams.terminal);
    } catch (const json::Malformed& malformed) {
        return refuse(Kind::invalid_spec, purpose,
                      "its description is not as it ought to be: " + std::string(malformed.what()),
                      std::move(reply));
    }
    act({place, "tasks.v1.Tasks/Exec", exec_request(place.id, name, json, streams), purpose},
        std::move(reply));
}

void ContainerdClient::Runtime::start(const ContainerPlace& place, const std::string& process,
                                      Reply<std::uint32_t> reply) {
    ask_for<std::uint32_t>({place, "tasks.v1.Tasks/Start", process_request(place.id, process),
                            purpose_of("start", process, place)},
                           decode_started_pid, std::move(reply));
}

void ContainerdClient::Runtime::delete_process(const ContainerPlace& place, const std::string& process,
                                               Reply<ProcessEnd> reply) {
    ask_for<ProcessEnd>({place, "tasks.v1.Tasks/DeleteProcess", process_request(place.id, process),
                         purpose_of("delete", process, place)},
                        decode_deleted, std::move(reply));
}

void ContainerdClient::Runtime::signal(const ContainerPlace& place, const std::string& process, int signal,
                                       Done reply) {
    const std::string purpose = purpose_of("send a signal to", process, place);
    if (const auto why = why_no_signal(signal)) return refuse(Kind::invalid, purpose, *why, std::move(reply));
    act({place, "tasks.v1.Tasks/Kill", signal_request(place.id, process, signal), purpose}, std::move(reply));
}

void ContainerdClient::Runtime::resize(const ContainerPlace& place, const std::string& process,
                                       std::uint32_t width, std::uint32_t height, Done reply) {
    act({place, "tasks.v1.Tasks/ResizePty", resize_request(place.id, process, width, height),
         purpose_of("resize the terminal of", process, place)},
        std::move(reply));
}

void ContainerdClient::Runtime::close_stdin(const ContainerPlace& place, const std::string& process,
                                            Done reply) {
    act({place, "tasks.v1.Tasks/CloseIO", close_stdin_request(place.id, process),
         purpose_of("close the input of", process, place)},
        std::move(reply));
}

void ContainerdClient::Runtime::pause(const ContainerPlace& place, Done reply) {
    act({place, "tasks.v1.Tasks/Pause", process_request(place.id, {}), doing("pause", place.id)},
        std::move(reply));
}

void ContainerdClient::Runtime::resume(const ContainerPlace& place, Done reply) {
    act({place, "tasks.v1.Tasks/Resume", process_request(place.id, {}), doing("resume", place.id)},
        std::move(reply));
}

void ContainerdClient::Runtime::metrics(const ContainerPlace& place, Reply<Metrics> reply) {
    const std::string purpose = doing("read the statistics of", place.id);
    ask_for<Metrics>({place, "tasks.v1.Tasks/Metrics", metrics_request(place.id), purpose}, decode_metrics,
                     [this, purpose, reply](Result<Metrics> told) {
                         if (told && told.value().figures.empty()) {
                             return reply(make_error(Kind::not_alive, purpose, owner_.endpoint_,
                                                     "it has none: nothing of it runs"));
                         }
                         reply(std::move(told));
                     });
}

void ContainerdClient::Runtime::processes(const ContainerPlace& place,
                                          Reply<std::vector<ListedProcess>> reply) {
    ask_for<std::vector<ListedProcess>>({place, "tasks.v1.Tasks/ListPids", process_request(place.id, {}),
                                         doing("list the processes of", place.id)},
                                        decode_processes, std::move(reply));
}

void ContainerdClient::Runtime::update(const ContainerPlace& place, const std::string& resources_json,
                                       Done reply) {
    const std::string purpose = doing("limit", place.id);
    try {
        check_object(resources_json);
    } catch (const json::Malformed& malformed) {
        return refuse(Kind::invalid_spec, purpose,
                      "the limits are not as they ought to be: " + std::string(malformed.what()),
                      std::move(reply));
    }
    act({place, "tasks.v1.Tasks/Update", update_task_request(place.id, resources_json), purpose},
        std::move(reply));
}

void ContainerdClient::Runtime::checkpoint(const ContainerPlace& place, const std::string& folder, bool exit,
                                           Done reply) {
    const std::string purpose = doing("write a checkpoint of", place.id);
    Session* const open = session(purpose, reply);
    if (open == nullptr) return;
    open->call(request_to("/containerd.services.tasks.v1.Tasks/Checkpoint", purpose,
                          checkpoint_request(place.id, folder, exit), place.name_space,
                          owner_.options_.unpack_deadline),
               [reply = std::move(reply)](const grpc::Answer& answer) {
                   reply(answer ? std::nullopt : std::optional(checkpoint_error(answer)));
               });
}

}  // namespace shorewatch::containerd
