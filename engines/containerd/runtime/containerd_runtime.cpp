#include "engines/containerd/runtime/containerd_runtime.h"

#include <memory>
#include <utility>

#include "engines/containerd/containerd_session.h"
#include "engines/containerd/messages.h"
#include "engines/containerd/runtime/creation.h"
#include "engines/containerd/runtime/image_reading.h"
#include "engines/containerd/runtime/runtime_error.h"
#include "engines/containerd/runtime/runtime_messages.h"
#include "engines/containerd/runtime/spec_json.h"

namespace shorewatch::containerd {

namespace {

using Kind = EngineError::Kind;

Result<ContainerRecord> record_of(RawContainer& container) {
    try {
        container.record.terminal = spec_terminal(container.spec);
    } catch (const json::Malformed&) {
        // Somebody else has written it: it is no matter of ours until it is to run.
    }
    return std::move(container.record);
}

}  // namespace

void ContainerdClient::Runtime::take_event(std::string_view bytes) {
    if (observer_ == nullptr) return;
    if (const auto event = decode_runtime_event(bytes)) observer_->on_runtime_event(*event);
}

ContainerdClient::Session* ContainerdClient::Runtime::session(const std::string& purpose,
                                                              std::function<void(EngineError)> refused) {
    Session* const session = owner_.session_.open();
    if (session == nullptr) owner_.session_.refuse_without_session(purpose, std::move(refused));
    return session;
}

void ContainerdClient::Runtime::refuse(Kind kind, const std::string& purpose, std::string_view cause,
                                       std::function<void(EngineError)> reply) {
    owner_.session_.refuse(kind, purpose, cause, std::move(reply));
}

void ContainerdClient::Runtime::ask(Call call, std::chrono::milliseconds deadline,
                                    std::function<void(const std::string&)> done,
                                    std::function<void(EngineError)> refused) {
    Session* const open = session(call.purpose, refused);
    if (open == nullptr) return;
    const bool of_task = std::string_view(call.method).starts_with("tasks.");
    open->call(request_to("/containerd.services." + std::string(call.method), call.purpose,
                          std::move(call.message), call.place.name_space, deadline),
               [of_task, done = std::move(done), refused = std::move(refused)](const grpc::Answer& answer) {
                   if (answer) return done(answer.message);
                   EngineError error = runtime_error(answer);
                   // Where the container is not found, it is called one.
                   const bool has_container = error.message.find("container \"") == std::string::npos;
                   if (of_task && has_container && error.kind == Kind::not_found)
                       error.kind = Kind::not_alive;
                   refused(std::move(error));
               });
}

void ContainerdClient::Runtime::act(Call call, Done reply) {
    auto done = [reply](const std::string&) { reply(std::nullopt); };
    ask(std::move(call), std::move(done),
        [reply = std::move(reply)](EngineError error) { reply(std::move(error)); });
}

void ContainerdClient::Runtime::version(Reply<EngineVersion> reply) {
    ask_for<EngineVersion>({{}, "version.v1.Version/Version", {}, "ask the engine for its version"},
                           decode_engine_version, std::move(reply));
}

void ContainerdClient::Runtime::image_config(const std::string& name_space, const std::string& image,
                                             Reply<std::string> reply) {
    Session* const open = session("read image " + image, reply);
    if (open == nullptr) return;
    std::make_shared<ImageReading>(*open, name_space, image, std::string(),
                                   [reply](Result<ImageParts> parts) {
                                       if (!parts) return reply(parts.error());
                                       reply(std::move(parts.value().config_json));
                                   })
        ->start();
}

Result<bool> ContainerdClient::Runtime::wants_terminal(const std::string& process_json) const {
    try {
        return process_terminal(process_json);
    } catch (const json::Malformed& malformed) {
        return make_error(Kind::invalid_spec, "run a process", owner_.endpoint_,
                          "its description is not as it ought to be: " + std::string(malformed.what()));
    }
}

bool ContainerdClient::Runtime::watches(std::string_view name_space) const {
    return owner_.namespaces_.watches(name_space);
}

void ContainerdClient::Runtime::create_container(const NewContainer& container,
                                                 Reply<ContainerRecord> reply) {
    const std::string purpose = doing("create", container.place.id);
    std::string spec;
    bool terminal = false;
    try {
        terminal = spec_terminal(container.spec_json);
        spec = container.image.empty() ? container.spec_json : spec_with_own_root(container.spec_json);
    } catch (const json::Malformed& malformed) {
        const std::string why =
            "the specification is not as it ought to be: " + std::string(malformed.what());
        return refuse(Kind::invalid_spec, purpose, why, std::move(reply));
    }
    Session* const open = session(purpose, reply);
    if (open == nullptr) return;
    auto with_terminal = [terminal, reply = std::move(reply)](Result<ContainerRecord> record) {
        if (record) record.value().terminal = terminal;
        reply(std::move(record));
    };
    std::make_shared<Creation>(*open, container, std::move(spec), std::move(with_terminal))->start();
}

void ContainerdClient::Runtime::container(const ContainerPlace& place, Reply<ContainerRecord> reply) {
    ask_for<RawContainer>(
        {place, "containers.v1.Containers/Get", container_request(place.id), doing("look at", place.id)},
        decode_raw_container, [reply](Result<RawContainer> told) {
            if (!told) return reply(told.error());
            reply(record_of(told.value()));
        });
}

void ContainerdClient::Runtime::delete_container(const ContainerPlace& place, Done reply) {
    const std::string purpose = doing("delete", place.id);
    const auto remove_record = [this, place, purpose, reply](const RawContainer& told) {
        const auto remove_snapshot = [this, place, purpose, reply, told](const std::string&) {
            if (told.snapshot_key.empty()) return reply(std::nullopt);
            // Without a container that refers to it, containerd collects it by itself, sooner or later.
            act({place, "snapshots.v1.Snapshots/Remove",
                 snapshot_request(told.snapshotter, told.snapshot_key), purpose},
                [reply](const std::optional<EngineError>&) { reply(std::nullopt); });
        };
        ask({place, "containers.v1.Containers/Delete", container_request(place.id), purpose}, remove_snapshot,
            reply);
    };
    ask_for<RawContainer>({place, "containers.v1.Containers/Get", container_request(place.id), purpose},
                          decode_raw_container, [remove_record, reply](Result<RawContainer> told) {
                              if (!told) return reply(told.error());
                              remove_record(told.value());
                          });
}

void ContainerdClient::Runtime::create_task(const ContainerPlace& place, const ProcessStreams& streams,
                                            const std::string& checkpoint, Reply<std::uint32_t> reply) {
    const std::string purpose = doing("start", place.id);
    const auto create = [this, place, streams, checkpoint, purpose, reply](const Mounts& rootfs) {
        ask_for<std::uint32_t>({place, "tasks.v1.Tasks/Create",
                                create_task_request(place.id, rootfs, streams, checkpoint), purpose},
                               decode_created_pid, reply);
    };
    const auto mount = [this, place, purpose, create, reply](const RawContainer& container) {
        if (container.snapshot_key.empty()) return create({});
        ask_for<Mounts>({place, "snapshots.v1.Snapshots/Mounts",
                         snapshot_request(container.snapshotter, container.snapshot_key), purpose},
                        decode_mounts, [create, reply](Result<Mounts> mounts) {
                            if (!mounts) return reply(mounts.error());
                            create(mounts.value());
                        });
    };
    const auto agree = [this, place, streams, purpose, mount, reply](const RawContainer& container) {
        try {
            if (spec_terminal(container.spec) == streams.terminal) return mount(container);
            act({place, "containers.v1.Containers/Update",
                 update_spec_request(place.id, spec_with_terminal(container.spec, streams.terminal)),
                 purpose},
                [mount, container, reply](const std::optional<EngineError>& error) {
                    error ? reply(*error) : mount(container);
                });
        } catch (const json::Malformed& malformed) {
            reply(make_error(Kind::invalid_spec, purpose, owner_.endpoint_,
                             "its specification is not as it ought to be: " + std::string(malformed.what())));
        }
    };
    ask_for<RawContainer>({place, "containers.v1.Containers/Get", container_request(place.id), purpose},
                          decode_raw_container, [agree, reply](const Result<RawContainer>& told) {
                              if (!told) return reply(told.error());
                              agree(told.value());
                          });
}

}  // namespace shorewatch::containerd
