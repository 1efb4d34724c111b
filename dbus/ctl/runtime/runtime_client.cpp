#include "dbus/ctl/runtime/runtime_client.h"

#include <algorithm>
#include <cstdlib>

#include <fmt/format.h>
#include <systemd/sd-bus.h>

#include "engines/support/text.h"

namespace shorewatch::ctl {

namespace {

constexpr const char* container_interface = "org.shorewatch1.Container";
constexpr const char* engine_type = "containerd.io";

using Streams = std::map<std::string, sdbus::UnixFd>;

// The engine of that name, or the only one there is.
EngineInfo choose_engine(const BusClient& client, const std::optional<std::string>& name) {
    std::vector<EngineInfo> fitting;
    std::string names;
    for (EngineInfo& engine : client.list_engines()) {
        if (engine.type != engine_type || (name && engine.name != *name)) continue;
        names += (names.empty() ? "" : ", ") + printable(engine.name);
        fitting.push_back(std::move(engine));
    }
    if (fitting.size() == 1) return std::move(fitting.front());
    if (fitting.size() > 1) {
        throw CommandError(
            ExitCode::ambiguous,
            fmt::format("cannot tell which engine is meant: say it by --engine, one of {}", names));
    }
    if (name) {
        throw CommandError(
            ExitCode::not_found,
            fmt::format("cannot run containers on {}: there is no such engine of containerd's; see "
                        "shorewatchctl engines",
                        quoted(*name)));
    }
    throw CommandError(
        ExitCode::not_found,
        "cannot run containers: the daemon watches no containerd; start one, or name its socket in "
        "the configuration");
}

std::string container_path(const std::string& engine_path, const std::string& id) {
    char* path = nullptr;
    const int result = sd_bus_path_encode((engine_path + "/containers").c_str(), id.c_str(), &path);
    const std::unique_ptr<char, decltype(&std::free)> owner(path, &std::free);
    if (result < 0) throw sdbus::createError(-result, "cannot name the container's object");
    return path;
}

}  // namespace

std::string quoted(const std::string& name) {
    return fmt::format("'{}'", printable(name));
}

bool RuntimeContainer::alive() const {
    return status == "running" || status == "paused" || status == "pausing" || status == "created";
}

RuntimeContainer runtime_container(std::string id, std::string engine, Properties properties) {
    RuntimeContainer container;
    container.id = std::move(id);
    container.engine = std::move(engine);
    container.name_space = value_or_empty<std::string>(properties, "Namespace");
    container.status = value_or_empty<std::string>(properties, "Status");
    container.image = value_or_empty<std::string>(properties, "Image");
    container.pid = value_or_empty<std::uint32_t>(properties, "PID");
    container.created_at = value_or_empty<std::uint64_t>(properties, "CreatedAt");
    container.exited_at = value_or_empty<std::uint64_t>(properties, "ExitedAt");
    container.terminal = value_or_empty<bool>(properties, "Terminal");
    container.exit_code = ctl::find<std::uint32_t>(properties, "ExitCode");
    container.processes = value_or_empty<std::vector<std::string>>(properties, "Processes");
    container.properties = std::move(properties);
    return container;
}

RuntimeClient::RuntimeClient(const BusClient& client, const std::optional<std::string>& engine)
    : client_(client) {
    EngineInfo info = choose_engine(client, engine);
    engine_ = std::move(info.name);
    path_ = std::move(info.path);
    proxy_ =
        sdbus::createProxy(client.connection(), bus::ServiceName(service_name), sdbus::ObjectPath(path_));
}

CommandError RuntimeClient::failure(const Question& question, const sdbus::Error& error, BusKind bus) {
    const std::string& said = error.getMessage();
    CommandError told = command_error(question.doing, error.getName(), said, bus, question.right);
    const bool ours_to_say = told.code() == ExitCode::access_denied || told.code() == ExitCode::unreachable;
    if (ours_to_say || !said.starts_with("cannot ")) return told;
    return {told.code(), printable(said)};
}

std::vector<RuntimeContainer> RuntimeClient::list() const {
    const Question question{"list the containers of " + quoted(engine_), "List", Right::inspect};
    auto [sequence, rows] = ask<std::uint64_t, std::vector<RuntimeRow>>(question, Properties{});
    std::vector<RuntimeContainer> containers;
    containers.reserve(rows.size());
    for (RuntimeRow& row : rows)
        containers.push_back(runtime_container(row.get<0>(), engine_, std::move(row.get<1>())));
    return containers;
}

RuntimeContainer RuntimeClient::find(const std::string& id) const {
    for (RuntimeContainer& container : list()) {
        if (container.id == id) return std::move(container);
    }
    throw CommandError(
        ExitCode::not_found,
        fmt::format("there is no container {} on {}; see shorewatchctl ps", quoted(id), quoted(engine_)));
}

std::string RuntimeClient::image_config(const std::string& image,
                                        const std::optional<std::string>& name_space) const {
    Properties options;
    if (name_space) options.emplace("Namespace", sdbus::Variant(*name_space));
    const Question question{"look into image " + quoted(image), "ImageConfig", Right::inspect};
    return std::get<0>(ask<std::string>(question, image, options));
}

std::string RuntimeClient::inspect(const RuntimeContainer& container) const {
    const std::string id =
        container.name_space == "default" ? container.id : container.name_space + "/" + container.id;
    return asked(
        "look into container " + quoted(container.id), bus(),
        [&] {
            const auto object = sdbus::createProxy(connection(), bus::ServiceName(service_name),
                                                   sdbus::ObjectPath(container_path(path_, id)));
            return std::get<0>(
                bus::call<std::string>(*object, container_interface, "Inspect", call_options(bus())));
        },
        Right::inspect);
}

void RuntimeClient::create(const std::string& id, const std::string& spec, const Properties& options) const {
    ask<>({"create container " + quoted(id), "Create", Right::run, create_limit}, id, spec, options);
}

std::uint32_t RuntimeClient::start_discarding(const std::string& id, Properties options) const {
    options["Discard"] = sdbus::Variant(true);
    const Question question{"start container " + quoted(id), "Start", Right::run, start_limit};
    return std::get<0>(ask<std::uint32_t, Streams>(question, id, options));
}

std::uint32_t RuntimeClient::exec_discarding(const std::string& id, const std::string& process,
                                             const std::string& json) const {
    const Properties options{{"Discard", sdbus::Variant(true)}};
    const Question question{"run a command in container " + quoted(id), "Exec", Right::run, start_limit};
    return std::get<0>(ask<std::uint32_t, Streams>(question, id, process, json, options));
}

void RuntimeClient::signal(const std::string& id, const std::string& process, int number) const {
    ask<>({"send container " + quoted(id) + " a signal", "SignalProcess"}, id, process,
          static_cast<std::int32_t>(number));
}

void RuntimeClient::resume(const std::string& id) const {
    ask<>({"resume container " + quoted(id), "Resume"}, id);
}

void RuntimeClient::delete_task(const std::string& id) const {
    ask<std::uint32_t, std::uint64_t>({"remove container " + quoted(id), "DeleteTask"}, id);
}

void RuntimeClient::delete_container(const std::string& id) const {
    ask<>({"remove container " + quoted(id), "Delete"}, id);
}

void RuntimeClient::update(const std::string& id, const std::string& resources_json) const {
    ask<>({"change the limits of container " + quoted(id), "UpdateResources"}, id, resources_json);
}

void RuntimeClient::checkpoint(const std::string& id, const std::string& directory, bool exit) const {
    const Question question{"write a checkpoint of container " + quoted(id), "CreateCheckpoint", Right::run,
                            checkpoint_limit};
    ask<>(question, id, directory, exit);
}

}  // namespace shorewatch::ctl
