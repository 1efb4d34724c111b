#include "dbus/service/runtime_object.h"

#include <tuple>
#include <utility>

#include "dbus/service/engine_errors.h"
#include "dbus/service/errors.h"
#include "dbus/service/given_options.h"
#include "dbus/service/object_paths.h"

namespace shorewatch::bus {

namespace {

CreateOptions create_options(Dictionary&& given) {
    GivenOptions options(std::move(given));
    CreateOptions taken;
    taken.name_space = options.text("Namespace");
    taken.image = options.text("Image").value_or("");
    taken.snapshotter = options.text("Snapshotter");
    for (auto& [key, value] : options.texts("Labels").value_or(std::map<std::string, std::string>{}))
        taken.labels.emplace_back(key, value);
    taken.remove_on_exit = options.flag("RemoveOnExit").value_or(false);
    options.finish();
    return taken;
}

enum class Of { start, exec };

ProcessOptions process_options(Dictionary&& given, Of of) {
    GivenOptions options(std::move(given));
    ProcessOptions taken;
    taken.terminal = options.flag("Terminal");
    taken.discard = options.flag("Discard").value_or(false);
    taken.with_stdin = options.flag("Stdin").value_or(true);
    if (of == Of::start) taken.checkpoint = options.text("CheckpointDirectory").value_or("");
    options.finish();
    return taken;
}

constexpr auto its_text = [](const RuntimeAnswer& answer) { return std::get<std::string>(answer); };
constexpr auto its_process = [](const RuntimeAnswer& answer) {
    const auto& process = std::get<RunningProcess>(answer);
    return std::tuple(process.pid, stdio_of(*process.ends));
};

}  // namespace

RuntimeObject::RuntimeObject(sdbus::IConnection& connection, const ServiceContext& context,
                             const PublishedEngine& engine)
    : AdaptorInterfaces(connection, engine_path(engine.name())), context_(context), engine_(engine) {
    registerAdaptor();
}

RuntimeObject::~RuntimeObject() {
    unregisterAdaptor();
}

void RuntimeObject::announce(const RuntimeSignal& signal) {
    emitEvent(signal.container, to_string(signal.type), signal.process, signal.sequence, info_of(signal));
}

template <typename... Values, typename Make>
void RuntimeObject::call(sdbus::Result<Values...>&& result, const Wish& wish, RuntimeRequest request,
                         Make make) {
    auto allowed = [&context = context_, engine = engine_.name(), request = std::move(request),
                    make](LateResult<Values...>&& permitted) {
        const auto open = context.calls.keep(std::move(permitted));
        context.actions.runtime(engine, request,
                                [open, make](const shorewatch::Result<RuntimeAnswer>& reply) {
                                    open.answer([&] {
                                        if (!reply) throw error_of(reply.error());
                                        return make(reply.value());
                                    });
                                });
    };
    context_.authority.require(
        getObject(),
        {.action = wish.action, .doing = wish.doing, .engine = engine_.name(), .container = wish.container},
        std::move(result), std::move(allowed));
}

void RuntimeObject::act(sdbus::Result<>&& result, const Wish& wish, RuntimeRequest request) {
    call(std::move(result), wish, std::move(request), [](const RuntimeAnswer&) {});
}

// --- the engine
// -------------------------------------------------------------------------------------------

void RuntimeObject::Version(sdbus::Result<std::string, std::string>&& result) {
    answer([&] {
        call(
            std::move(result), {Action::inspect, "ask containerd for its version", {}},
            [](Runtime& runtime, RuntimeReply reply) { runtime.version(std::move(reply)); },
            [](const RuntimeAnswer& told) {
                const auto& version = std::get<EngineVersion>(told);
                return std::tuple(version.version, version.revision);
            });
    });
}

void RuntimeObject::ImageConfig(sdbus::Result<std::string>&& result, std::string image, Dictionary given) {
    answer([&] {
        GivenOptions options(std::move(given));
        auto name_space = options.text("Namespace");
        options.finish();
        call(
            std::move(result), {Action::inspect, "read an image's configuration", {}},
            [image = std::move(image), name_space](Runtime& runtime, RuntimeReply reply) {
                runtime.image_config(image, name_space, std::move(reply));
            },
            its_text);
    });
}

void RuntimeObject::List(sdbus::Result<uint64_t, RuntimeRows>&& result, Dictionary given) {
    answer([&] {
        GivenOptions(std::move(given)).finish();
        call(
            std::move(result), {Action::inspect, "list the containers that were created here", {}},
            [](Runtime& runtime, RuntimeReply reply) { runtime.list(std::move(reply)); },
            [](const RuntimeAnswer& told) {
                const auto& listing = std::get<ContainerListing>(told);
                return std::tuple(listing.sequence, rows_of(listing));
            });
    });
}

// --- containers
// -------------------------------------------------------------------------------------------

void RuntimeObject::Create(sdbus::Result<>&& result, std::string id, std::string oci_spec_json,
                           Dictionary options) {
    answer([&] {
        act(std::move(result), {Action::run, "create containers", id},
            [id, spec = std::move(oci_spec_json), taken = create_options(std::move(options))](
                Runtime& runtime, RuntimeReply reply) { runtime.create(id, spec, taken, std::move(reply)); });
    });
}

void RuntimeObject::Delete(sdbus::Result<>&& result, std::string id) {
    answer([&] {
        act(std::move(result), {Action::run, "delete containers", id},
            [id](Runtime& runtime, RuntimeReply reply) { runtime.remove(id, std::move(reply)); });
    });
}

void RuntimeObject::Start(sdbus::Result<uint32_t, Stdio>&& result, std::string id, Dictionary options) {
    answer([&] {
        call(
            std::move(result), {Action::run, "start containers", id},
            [id, taken = process_options(std::move(options), Of::start)](
                Runtime& runtime, RuntimeReply reply) { runtime.start(id, taken, std::move(reply)); },
            its_process);
    });
}

void RuntimeObject::DeleteTask(sdbus::Result<uint32_t, uint64_t>&& result, std::string id) {
    answer([&] {
        call(
            std::move(result), {Action::run, "delete a container's task", id},
            [id](Runtime& runtime, RuntimeReply reply) { runtime.delete_task(id, std::move(reply)); },
            [](const RuntimeAnswer& told) {
                const auto& end = std::get<ProcessEnd>(told);
                return std::tuple(end.exit_code, to_usec(end.time));
            });
    });
}

void RuntimeObject::Restore(sdbus::Result<bool, uint32_t, Stdio>&& result, std::string id,
                            Dictionary options) {
    answer([&] {
        GivenOptions(std::move(options)).finish();
        call(
            std::move(result), {Action::run, "attach to containers", id},
            [id](Runtime& runtime, RuntimeReply reply) { runtime.restore(id, std::move(reply)); },
            [](const RuntimeAnswer& told) {
                const auto& process = std::get<RunningProcess>(told);
                return std::tuple(process.alive, process.pid, stdio_of(*process.ends));
            });
    });
}

void RuntimeObject::Status(sdbus::Result<std::string>&& result, std::string id) {
    answer([&] {
        call(
            std::move(result), {Action::inspect, "read a container's state", id},
            [id](Runtime& runtime, RuntimeReply reply) { runtime.status(id, std::move(reply)); }, its_text);
    });
}

// --- processes
// --------------------------------------------------------------------------------------------

void RuntimeObject::Exec(sdbus::Result<uint32_t, Stdio>&& result, std::string id, std::string process,
                         std::string process_json, Dictionary options) {
    answer([&] {
        call(
            std::move(result), {Action::run, "run processes in containers", id},
            [id, name = std::move(process), json = std::move(process_json),
             taken = process_options(std::move(options), Of::exec)](Runtime& runtime, RuntimeReply reply) {
                runtime.exec(id, name, json, taken, std::move(reply));
            },
            its_process);
    });
}

void RuntimeObject::SignalProcess(sdbus::Result<>&& result, std::string id, std::string process,
                                  int32_t signal) {
    answer([&] {
        act(std::move(result), {Action::run, "send signals to processes in containers", id},
            [id, name = std::move(process), signal](Runtime& runtime, RuntimeReply reply) {
                runtime.signal(id, name, signal, std::move(reply));
            });
    });
}

void RuntimeObject::ResizeTerminal(sdbus::Result<>&& result, std::string id, std::string process,
                                   uint32_t width, uint32_t height) {
    answer([&] {
        act(std::move(result), {Action::run, "resize terminals of containers", id},
            [id, name = std::move(process), width, height](Runtime& runtime, RuntimeReply reply) {
                runtime.resize(id, name, width, height, std::move(reply));
            });
    });
}

void RuntimeObject::CloseStdin(sdbus::Result<>&& result, std::string id, std::string process) {
    answer([&] {
        act(std::move(result), {Action::run, "close the input of processes in containers", id},
            [id, name = std::move(process)](Runtime& runtime, RuntimeReply reply) {
                runtime.close_stdin(id, name, std::move(reply));
            });
    });
}

// --- containers that run
// ----------------------------------------------------------------------------------

void RuntimeObject::Pause(sdbus::Result<>&& result, std::string id) {
    answer([&] {
        act(std::move(result), {Action::run, "pause containers", id},
            [id](Runtime& runtime, RuntimeReply reply) { runtime.pause(id, std::move(reply)); });
    });
}

void RuntimeObject::Resume(sdbus::Result<>&& result, std::string id) {
    answer([&] {
        act(std::move(result), {Action::run, "resume containers", id},
            [id](Runtime& runtime, RuntimeReply reply) { runtime.resume(id, std::move(reply)); });
    });
}

void RuntimeObject::Stats(sdbus::Result<uint64_t, Dictionary>&& result, std::string id) {
    answer([&] {
        call(
            std::move(result), {Action::inspect, "read a container's statistics", id},
            [id](Runtime& runtime, RuntimeReply reply) { runtime.stats(id, std::move(reply)); },
            [](const RuntimeAnswer& told) {
                const auto& metrics = std::get<Metrics>(told);
                return std::tuple(to_usec(metrics.read_at), metrics_of(metrics));
            });
    });
}

void RuntimeObject::ListPids(sdbus::Result<std::vector<uint32_t>>&& result, std::string id) {
    answer([&] {
        call(
            std::move(result), {Action::inspect, "list a container's processes", id},
            [id](Runtime& runtime, RuntimeReply reply) { runtime.list_pids(id, std::move(reply)); },
            [](const RuntimeAnswer& told) { return std::get<std::vector<std::uint32_t>>(told); });
    });
}

void RuntimeObject::Summary(sdbus::Result<ProcessRows>&& result, std::string id) {
    answer([&] {
        call(
            std::move(result), {Action::inspect, "list a container's processes", id},
            [id](Runtime& runtime, RuntimeReply reply) { runtime.summary(id, std::move(reply)); },
            [](const RuntimeAnswer& told) { return rows_of(std::get<std::vector<SummaryRow>>(told)); });
    });
}

void RuntimeObject::UpdateResources(sdbus::Result<>&& result, std::string id,
                                    std::string linux_resources_json) {
    answer([&] {
        act(std::move(result), {Action::run, "limit containers", id},
            [id, json = std::move(linux_resources_json)](Runtime& runtime, RuntimeReply reply) {
                runtime.update(id, json, std::move(reply));
            });
    });
}

void RuntimeObject::CreateCheckpoint(sdbus::Result<>&& result, std::string id, std::string directory,
                                     bool exit) {
    answer([&] {
        act(std::move(result), {Action::run, "write checkpoints of containers", id},
            [id, folder = std::move(directory), exit](Runtime& runtime, RuntimeReply reply) {
                runtime.checkpoint(id, folder, exit, std::move(reply));
            });
    });
}

}  // namespace shorewatch::bus
