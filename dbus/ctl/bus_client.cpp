#include "dbus/ctl/bus_client.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

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
};

class Container final : public sdbus::ProxyInterfaces<org::shorewatch1::Container_proxy> {
  public:
    Container(sdbus::IConnection& connection, const std::string& path)
        : ProxyInterfaces(connection, bus::ServiceName(service_name), sdbus::ObjectPath(path)) {}

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

// Runs call; a D-Bus error becomes "cannot {doing}: …".
template <typename Call>
auto asked(const std::string& doing, const BusChoice& bus, const Call& call, Right right = Right::read) {
    try {
        return call();
    } catch (const sdbus::Error& error) {
        throw command_error(doing, error.getName(), error.getMessage(), bus.kind, right);
    }
}

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

void BusClient::reload() const {
    asked("reload the configuration", bus_, [&] { Manager(*connection_).Reload(); }, Right::control);
}

void BusClient::resync(const std::string& engine) const {
    const std::string doing = fmt::format("resynchronise engine '{}'", printable(engine));
    std::string known;
    for (const EngineInfo& info : list_engines()) {
        if (info.name == engine) {
            return asked(doing, bus_, [&] { Engine(*connection_, info.path).Resync(); }, Right::control);
        }
        known += (known.empty() ? "" : ", ") + printable(info.name);
    }
    throw CommandError(ExitCode::not_found, fmt::format("cannot {}: there is no such engine; there are: {}",
                                                        doing, known.empty() ? "none" : known));
}

}  // namespace shorewatch::ctl
