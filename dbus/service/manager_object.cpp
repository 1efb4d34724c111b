#include "dbus/service/manager_object.h"

#include <algorithm>
#include <cerrno>
#include <system_error>
#include <utility>

#include <fcntl.h>

#include "daemon/configuration.h"
#include "daemon/processes/look_up.h"
#include "dbus/compat/sdbus_client.h"
#include "dbus/service/container_filter.h"
#include "dbus/service/errors.h"
#include "dbus/service/object_paths.h"
#include "engines/support/text.h"

namespace shorewatch::bus {

namespace {

// How many containers an error names that says which of them could be meant.
constexpr std::size_t most_named = 10;

sdbus::Error ambiguous(const std::string& what, const std::vector<Registry::Found>& found) {
    std::string text = what + " could be any of " + std::to_string(found.size()) + ":";
    const std::size_t named = std::min(found.size(), most_named);
    for (std::size_t i = 0; i < named; ++i) {
        const Container& container = *found[i].container;
        text += i == 0 ? " " : ", ";
        text += "'" + printable(container.name) + "' (engine '" + found[i].engine->name() + "', project '" +
                printable(container.project) + "', id " + printable(container.id) + ")";
    }
    if (named < found.size()) text += " and others";
    return error(errors::ambiguous, text + "; the full id tells them apart");
}

// The one container that was found for what was asked.
sdbus::ObjectPath only_one(const std::string& what, const std::vector<Registry::Found>& found) {
    if (found.empty()) throw error(errors::no_such_container, what + " is in no container that is alive");
    if (found.size() > 1) throw ambiguous(what, found);
    return container_path(found.front().engine->name(), found.front().container->id);
}

template <typename PidOrPidfd>
sdbus::ObjectPath container_of(const Registry& registry, const std::string& what, const PidOrPidfd& process) {
    try {
        return only_one(what, containers_of(registry, process));
    } catch (const NoSuchProcess& gone) {
        throw error(errors::no_such_process, gone.what());
    } catch (const std::invalid_argument& wrong) {
        throw error(errors::invalid_args, wrong.what());
    }
}

std::map<std::string, sdbus::Variant> properties_of(const PublishedEngine& engine) {
    const EngineStatus& status = engine.status();
    const auto total = static_cast<std::uint32_t>(engine.portfolio().container_total());
    return {{"Name", sdbus::Variant(engine.name())},
            {"Type", sdbus::Variant(engine.type())},
            {"Api", sdbus::Variant(engine.api())},
            {"Holder", sdbus::Variant(holder_path(engine))},
            {"Id", sdbus::Variant(status.identity.id)},
            {"Version", sdbus::Variant(status.identity.version)},
            {"PID", sdbus::Variant(status.identity.pid)},
            {"State", sdbus::Variant(std::string(to_string(status.state)))},
            {"LastError", sdbus::Variant(status.last_error)},
            {"Since", sdbus::Variant(to_usec(status.since))},
            {"ContainerTotal", sdbus::Variant(total)},
            {"ProjectNames", sdbus::Variant(engine.portfolio().names())}};
}

}  // namespace

ManagerObject::ManagerObject(sdbus::IConnection& connection, const ServiceContext& context)
    : AdaptorInterfaces(connection, sdbus::ObjectPath(root_path)), context_(context) {
    driver_ = sdbus::createProxy(connection, ServiceName("org.freedesktop.DBus"),
                                 sdbus::ObjectPath("/org/freedesktop/DBus"));
    registerAdaptor();
    getObject().addObjectManager();
}

ManagerObject::~ManagerObject() {
    unregisterAdaptor();
}

// All signals of containers have the same arguments.
template <typename Change>
void ManagerObject::announce(Emit emit, const PublishedEngine& engine, const Change& change,
                             std::uint64_t sequence) {
    const Container& of = *change.container;
    (this->*emit)(engine.name(), of.project, of.name, of.id, container_path(engine.name(), of.id), sequence,
                  details_of(change));
}

void ManagerObject::announce(const PublishedEngine& engine, const ContainerStarted& change,
                             std::uint64_t sequence) {
    announce(&ManagerObject::emitContainerStarted, engine, change, sequence);
}

void ManagerObject::announce(const PublishedEngine& engine, const ContainerExited& change,
                             std::uint64_t sequence) {
    announce(&ManagerObject::emitContainerExited, engine, change, sequence);
}

void ManagerObject::announce(const PublishedEngine& engine, const ContainerPaused& change,
                             std::uint64_t sequence) {
    announce(&ManagerObject::emitContainerPaused, engine, change, sequence);
}

void ManagerObject::announce(const PublishedEngine& engine, const ContainerUnpaused& change,
                             std::uint64_t sequence) {
    announce(&ManagerObject::emitContainerUnpaused, engine, change, sequence);
}

void ManagerObject::announce(const PublishedEngine& engine, const ContainerRenamed& change,
                             std::uint64_t sequence) {
    announce(&ManagerObject::emitContainerRenamed, engine, change, sequence);
}

void ManagerObject::announce_state(const PublishedEngine& engine, const EngineStatus& before,
                                   std::uint64_t sequence) {
    emitEngineStateChanged(engine.name(), to_string(engine.status().state), engine_path(engine.name()),
                           sequence, details_of(before, engine.status()));
}

void ManagerObject::announce_ready() {
    getObject().emitPropertiesChangedSignal(INTERFACE_NAME, {PropertyName("Ready")});
}

void ManagerObject::invalidate_containers() {
    getObject().emitPropertiesChangedSignal(INTERFACE_NAME, {PropertyName("ContainerTotal")});
}

std::vector<ManagerObject::EngineRow> ManagerObject::ListEngines() {
    return answer([&] {
        std::vector<EngineRow> rows;
        for (const PublishedEngine* engine : context_.registry.engines()) {
            rows.emplace_back(engine_path(engine->name()), properties_of(*engine));
        }
        return rows;
    });
}

std::tuple<uint64_t, ContainerRows> ManagerObject::ListContainers(
    const std::map<std::string, sdbus::Variant>& filter) {
    return answer([&] {
        ContainerRows rows(context_.registry.list(parse_filter(filter)));
        if (rows.size_on_wire() > ContainerRows::largest_answer) {
            throw error(errors::limits_exceeded,
                        "The answer would be larger than the bus takes: " + std::to_string(rows.size()) +
                            " containers; list them engine by engine or by project");
        }
        return std::tuple(context_.registry.sequence(), std::move(rows));
    });
}

sdbus::ObjectPath ManagerObject::GetContainer(const std::string& name_or_id) {
    return answer([&] {
        const std::vector<Registry::Found> found = context_.registry.look_up(name_or_id);
        if (found.empty()) {
            throw error(errors::no_such_container, "No alive container '" + printable(name_or_id) + "'");
        }
        if (found.size() > 1) throw ambiguous("'" + printable(name_or_id) + "'", found);
        return container_path(found.front().engine->name(), found.front().container->id);
    });
}

void ManagerObject::GetContainerByPID(sdbus::Result<sdbus::ObjectPath>&& result, uint32_t pid) {
    answer([&] {
        const auto look_up = [&registry = context_.registry](std::uint32_t process) {
            return container_of(registry, "Process " + std::to_string(process), process);
        };
        if (pid != 0) return result.returnResults(look_up(pid));
        const auto caller = std::make_shared<sdbus::Result<sdbus::ObjectPath>>(std::move(result));
        auto on_answer = [caller, look_up](AsyncError failure, const std::uint32_t& process) {
            answer_errors_of(*caller, [&] {
                if (failure)
                    throw error(errors::no_such_process, "The bus does not say which process asks: " +
                                                             std::string(failure->getMessage()));
                caller->returnResults(look_up(process));
            });
        };
        driver_->callMethodAsync("GetConnectionUnixProcessID")
            .onInterface("org.freedesktop.DBus")
            .withArguments(current_caller(getObject()).name)
            .uponReplyInvoke(std::move(on_answer));
    });
}

sdbus::ObjectPath ManagerObject::GetContainerByPIDFD(const sdbus::UnixFd& pidfd) {
    return answer([&] {
        const UniqueFd copy(::fcntl(pidfd.get(), F_DUPFD_CLOEXEC, 0));
        if (!copy) throw std::system_error(errno, std::generic_category(), "cannot keep the descriptor");
        return container_of(context_.registry, "The process", copy);
    });
}

sdbus::ObjectPath ManagerObject::GetContainerByCgroup(const std::string& cgroup) {
    return answer([&] {
        const std::string what = "Cgroup '" + printable(cgroup) + "'";
        if (!cgroup.starts_with('/'))
            throw error(errors::invalid_args, what + " is no path: it does not begin with '/'");
        return only_one(what,
                        context_.registry.published(context_.registry.processes().by_cgroup_path(cgroup)));
    });
}

sdbus::ObjectPath ManagerObject::GetContainerByUnit(const std::string& unit) {
    return answer([&] {
        const auto found = context_.registry.published(context_.registry.processes().by_unit(unit));
        const std::string what = "Unit '" + printable(unit) + "'";
        if (found.empty()) throw error(errors::no_such_container, what + " runs no container that is alive");
        return only_one(what, found);
    });
}

void ManagerObject::Reload(sdbus::Result<>&& result) {
    answer([&] {
        const auto reload = [&actions = context_.actions] {
            try {
                actions.reload();
            } catch (const ConfigurationError& wrong) {
                throw error(errors::invalid_configuration, wrong.what());
            }
        };
        context_.authority.require(getObject(),
                                   {.action = Action::control, .doing = "have the configuration read again"},
                                   std::move(result), reload);
    });
}

std::string ManagerObject::Version() {
    return answer([] { return std::string(SHOREWATCH_VERSION); });
}

std::string ManagerObject::InstanceId() {
    return answer([&] { return context_.instance_id; });
}

bool ManagerObject::Ready() {
    return context_.registry.ready();
}

uint64_t ManagerObject::Sequence() {
    return context_.registry.sequence();
}

uint32_t ManagerObject::ContainerTotal() {
    return static_cast<uint32_t>(context_.registry.container_total());
}

uint32_t ManagerObject::QueueLength() {
    return static_cast<uint32_t>(context_.actions.queue_length());
}

}  // namespace shorewatch::bus
