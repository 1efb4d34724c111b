#include "dbus/ctl/completion/names.h"

#include <exception>
#include <map>
#include <optional>

#include "dbus/compat/sdbus_client.h"
#include "dbus/ctl/runtime/runtime_client.h"
#include "dbus/ctl/tasks/task_client.h"
#include "engines/support/text.h"

namespace shorewatch::ctl {

namespace {

// In µs. Somebody waits for their shell.
constexpr std::uint64_t patience = 2'000'000;

bool has_daemon(sdbus::IConnection& connection) {
    const auto driver = sdbus::createProxy(connection, bus::ServiceName("org.freedesktop.DBus"),
                                           sdbus::ObjectPath("/org/freedesktop/DBus"));
    const auto [there] =
        bus::call<bool>(*driver, "org.freedesktop.DBus", "NameHasOwner", {}, std::string(service_name));
    return there;
}

std::vector<Candidate> of_containers(const BusClient& client, Named what) {
    std::map<std::string, std::string> found;  // several may have one name
    for (const ContainerInfo& container : client.list_containers({}).containers) {
        switch (what) {
            case Named::containers:
                found.emplace(container.name.empty() ? container.id : container.name,
                              container.engine + (container.project.empty() ? "" : "/") + container.project);
                break;
            case Named::projects:
                if (!container.project.empty()) found.emplace(container.project, container.engine);
                break;
            default:
                if (const auto pod = find<std::string>(container.properties, "Pod"); pod && !pod->empty())
                    found.emplace(*pod, container.engine);
        }
    }
    std::vector<Candidate> candidates;
    candidates.reserve(found.size());
    for (const auto& [name, place] : found)
        candidates.push_back({name, place});
    return candidates;
}

std::vector<Candidate> of_engines(const BusClient& client) {
    std::vector<Candidate> candidates;
    for (const EngineInfo& engine : client.list_engines())
        candidates.push_back({engine.name, engine.state});
    return candidates;
}

std::vector<Candidate> of_runtime(const BusClient& client) {
    std::vector<Candidate> candidates;
    for (const RuntimeContainer& container : RuntimeClient(client, std::nullopt).list())
        candidates.push_back({container.id, container.status});
    return candidates;
}

std::vector<Candidate> of_tasks(const BusClient& client) {
    std::vector<Candidate> candidates;
    for (const TaskInfo& task : TaskClient(client).list())
        candidates.push_back({task.arn, task.family});
    return candidates;
}

std::vector<Candidate> ask(const BusClient& client, Named what) {
    switch (what) {
        case Named::engines:
            return of_engines(client);
        case Named::made_containers:
            return of_runtime(client);
        case Named::tasks:
            return of_tasks(client);
        default:
            return of_containers(client, what);
    }
}

}  // namespace

std::vector<Candidate> names_on_bus(const BusChoice& bus, Named what) noexcept {
    try {
        const BusClient client(bus);
        client.connection().setMethodCallTimeout(patience);
        if (!has_daemon(client.connection())) return {};
        std::vector<Candidate> candidates = ask(client, what);
        std::erase_if(candidates, [](const Candidate& one) {
            return one.word.empty() || printable(one.word) != one.word;
        });
        for (Candidate& candidate : candidates)
            candidate.about = printable(candidate.about);
        return candidates;
    } catch (const std::exception&) {  // Who types a command has not asked for this.
        return {};
    }
}

}  // namespace shorewatch::ctl
