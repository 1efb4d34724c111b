#include "dbus/ctl/bus_client.h"

#include <algorithm>
#include <cerrno>
#include <system_error>
#include <utility>

#include <fmt/format.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "dbus/ctl/bus_call.h"
#include "dbus/interfaces/container_proxy.h"
#include "dbus/interfaces/engine_proxy.h"
#include "dbus/interfaces/manager_proxy.h"
#include "engines/support/text.h"

namespace shorewatch::ctl {

namespace {

// The proxies are never registered: they call, and subscribe to nothing.
class Manager final : public sdbus::ProxyInterfaces<org::shorewatch1::Manager_proxy> {
  public:
    explicit Manager(sdbus::IConnection& connection)
        : ProxyInterfaces(connection, bus::ServiceName(service_name), sdbus::ObjectPath(manager_path)) {}

    // pid: of here, where the process can be held on to while it is asked about; else as the daemon has it.
    sdbus::ObjectPath container_of(std::uint32_t pid, bool here, const std::string& doing) {
        if (!here)
            return std::get<0>(
                bus::call<sdbus::ObjectPath>(getProxy(), INTERFACE_NAME, "GetContainerByPID", {}, pid));
        // glibc's own, which is new, has no C++ linkage yet in Debian 12.
        const int process = static_cast<int>(::syscall(SYS_pidfd_open, pid, 0U));
        if (process < 0) {
            throw CommandError(errno == ESRCH ? ExitCode::not_found : ExitCode::refused,
                               fmt::format("cannot {}: {}", doing, std::generic_category().message(errno)));
        }
        return std::get<0>(bus::call<sdbus::ObjectPath>(getProxy(), INTERFACE_NAME, "GetContainerByPIDFD", {},
                                                        sdbus::UnixFd(process, sdbus::adopt_fd)));
    }
    void reload(const bus::CallOptions& options) {
        bus::call<>(getProxy(), INTERFACE_NAME, "Reload", options);
    }

  private:
    using Text = const std::string&;
    using Path = const sdbus::ObjectPath&;
    using Number = const std::uint64_t&;
    using Details = const Properties&;

    void onContainerStarted(Text, Text, Text, Text, Path, Number, Details) override {}
    void onContainerExited(Text, Text, Text, Text, Path, Number, Details) override {}
    void onContainerPaused(Text, Text, Text, Text, Path, Number, Details) override {}
    void onContainerUnpaused(Text, Text, Text, Text, Path, Number, Details) override {}
    void onContainerRenamed(Text, Text, Text, Text, Path, Number, Details) override {}
    void onEngineStateChanged(Text, Text, Path, Number, Details) override {}
};

class Engine final : public sdbus::ProxyInterfaces<org::shorewatch1::Engine_proxy> {
  public:
    Engine(sdbus::IConnection& connection, const std::string& path)
        : ProxyInterfaces(connection, bus::ServiceName(service_name), sdbus::ObjectPath(path)) {}

    void resync(const bus::CallOptions& options) {
        bus::call<>(getProxy(), INTERFACE_NAME, "Resync", options);
    }
};

class Container final : public sdbus::ProxyInterfaces<org::shorewatch1::Container_proxy> {
  public:
    Container(sdbus::IConnection& connection, const std::string& path)
        : ProxyInterfaces(connection, bus::ServiceName(service_name), sdbus::ObjectPath(path)) {}

    template <typename... Results, typename... Arguments>
    std::tuple<Results...> call(const char* method, const bus::CallOptions& options,
                                const Arguments&... arguments) {
        return bus::call<Results...>(getProxy(), INTERFACE_NAME, method, options, arguments...);
    }

    Properties all_properties() {
        Properties result;
        getProxy()
            .callMethod("GetAll")
            .onInterface("org.freedesktop.DBus.Properties")
            .withArguments(std::string(INTERFACE_NAME))
            .storeResultsTo(result);
        return result;
    }
};

// What stopping a container takes beside the time that the container is given.
constexpr std::chrono::seconds stop_limit{60};

}  // namespace

std::unique_ptr<sdbus::IConnection> open_bus(const BusChoice& bus) {
    try {
        switch (bus.kind) {
            case BusKind::system:
                return sdbus::createSystemBusConnection();
            case BusKind::user:
                return sdbus::createSessionBusConnection();
            case BusKind::remote:
                return sdbus::createRemoteSystemBusConnection(bus.host);
        }
    } catch (const sdbus::Error& error) {
        throw connect_error(error.getName(), error.getMessage(), bus.kind, bus.host);
    }
    return nullptr;
}

Properties ContainerFilter::to_properties() const {
    Properties filter;
    if (engine) filter.emplace("engine", sdbus::Variant(*engine));
    if (project) filter.emplace("project", sdbus::Variant(*project));
    if (name) filter.emplace("name", sdbus::Variant(*name));
    if (labels.size() == 1) filter.emplace("label", sdbus::Variant(labels.front()));
    if (labels.size() > 1) filter.emplace("label", sdbus::Variant(labels));
    if (paused) filter.emplace("paused", sdbus::Variant(*paused));
    if (pod) filter.emplace("pod", sdbus::Variant(*pod));
    return filter;
}

ContainerList container_list(std::uint64_t sequence, std::vector<ListedObject> objects) {
    ContainerList list;
    list.sequence = sequence;
    list.containers.reserve(objects.size());
    for (ListedObject& object : objects) {
        list.containers.push_back(container_info(object.get<0>(), std::move(object.get<1>())));
    }
    return list;
}

BusClient::BusClient(BusChoice bus) : bus_(std::move(bus)), connection_(open_bus(bus_)) {}

ContainerList BusClient::list_containers(const ContainerFilter& filter) const {
    return asked("list the containers", bus_, [&] {
        auto [sequence, objects] = Manager(*connection_).ListContainers(filter.to_properties());
        return container_list(sequence, std::move(objects));
    });
}

std::vector<EngineInfo> BusClient::list_engines() const {
    return asked("list the engines", bus_, [&] {
        std::vector<EngineInfo> engines;
        for (ListedObject& object : Manager(*connection_).ListEngines()) {
            engines.push_back(engine_info(object.get<0>(), std::move(object.get<1>())));
        }
        std::sort(engines.begin(), engines.end(),
                  [](const EngineInfo& one, const EngineInfo& other) { return one.name < other.name; });
        return engines;
    });
}

ContainerInfo BusClient::container(const std::string& name_or_id) const {
    return asked(fmt::format("show '{}'", printable(name_or_id)), bus_, [&] {
        const sdbus::ObjectPath path = Manager(*connection_).GetContainer(name_or_id);
        return container_info(path, Container(*connection_, path).all_properties());
    });
}

std::optional<ContainerInfo> BusClient::container_of_process(std::uint32_t pid) const {
    const std::string doing = fmt::format("tell where process {} is", pid);
    return asked(doing, bus_, [&]() -> std::optional<ContainerInfo> {
        Manager manager(*connection_);
        try {
            const sdbus::ObjectPath path = manager.container_of(pid, bus_.kind != BusKind::remote, doing);
            return container_info(path, Container(*connection_, path).all_properties());
        } catch (const sdbus::Error& error) {
            if (error.getName() == "org.shorewatch1.Error.NoSuchContainer") return std::nullopt;
            throw;
        }
    });
}

// What is asked of a container, and how.
struct BusClient::ContainerCall {
    const std::string& container;
    const char* doing;  // of "cannot {doing} '{container}'"
    const char* method;
    Right right;
    std::chrono::seconds more_time{};
};

template <typename... Results, typename... Arguments>
std::tuple<Results...> BusClient::call(const ContainerCall& what, const Arguments&... arguments) const {
    const auto ask = [&] {
        Container container(*connection_, Manager(*connection_).GetContainer(what.container));
        return container.call<Results...>(what.method, call_options(bus_, what.more_time), arguments...);
    };
    return asked(fmt::format("{} '{}'", what.doing, printable(what.container)), bus_, ask, what.right);
}

std::string BusClient::inspect(const std::string& name_or_id) const {
    return std::get<0>(call<std::string>({name_or_id, "inspect", "Inspect", Right::inspect}));
}

std::vector<Address> BusClient::addresses(const std::string& name_or_id) const {
    using Rows = std::vector<sdbus::Struct<std::string, std::string>>;
    std::vector<Address> addresses;
    const ContainerCall what{name_or_id, "list the addresses of", "GetAddresses", Right::inspect};
    const auto [rows] = call<Rows>(what);
    for (const auto& row : rows)
        addresses.push_back({std::get<0>(row), std::get<1>(row)});
    return addresses;
}

UniqueFd BusClient::open_process(const std::string& name_or_id) const {
    const ContainerCall what{name_or_id, "open the process of", "OpenPIDFD", Right::inspect};
    return own(std::get<0>(call<sdbus::UnixFd>(what)));
}

std::map<std::string, UniqueFd> BusClient::open_namespaces(const std::string& name_or_id,
                                                           const std::vector<std::string>& types) const {
    using Descriptors = std::map<std::string, sdbus::UnixFd>;
    const ContainerCall what{name_or_id, "open the namespaces of", "OpenNamespaces", Right::inspect};
    std::map<std::string, UniqueFd> namespaces;
    const auto [descriptors] = call<Descriptors>(what, types);
    for (const auto& [type, fd] : descriptors)
        namespaces.emplace(type, own(fd));
    return namespaces;
}

void BusClient::pause(const std::string& name_or_id) const {
    call<>({name_or_id, "pause", "Pause", Right::control});
}

void BusClient::unpause(const std::string& name_or_id) const {
    call<>({name_or_id, "unpause", "Unpause", Right::control});
}

void BusClient::stop(const std::string& name_or_id, std::chrono::seconds patience) const {
    call<>({name_or_id, "stop", "Stop", Right::control, patience + stop_limit},
           static_cast<std::uint32_t>(patience.count()));
}

void BusClient::kill(const std::string& name_or_id, int signal) const {
    call<>({name_or_id, "kill", "Kill", Right::control}, static_cast<std::int32_t>(signal));
}

void BusClient::reload() const {
    asked(
        "reload the configuration", bus_, [&] { Manager(*connection_).reload(call_options(bus_)); },
        Right::control);
}

void BusClient::resync(const std::string& engine) const {
    const std::string doing = fmt::format("resynchronise engine '{}'", printable(engine));
    std::string known;
    for (const EngineInfo& info : list_engines()) {
        if (info.name == engine) {
            return asked(
                doing, bus_, [&] { Engine(*connection_, info.path).resync(call_options(bus_)); },
                Right::control);
        }
        known += (known.empty() ? "" : ", ") + printable(info.name);
    }
    throw CommandError(ExitCode::not_found, fmt::format("cannot {}: there is no such engine; there are: {}",
                                                        doing, known.empty() ? "none" : known));
}

}  // namespace shorewatch::ctl
