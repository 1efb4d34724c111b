// From a process to the container that is published with it.
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <unistd.h>

#include "daemon/processes/look_up.h"
#include "daemon/processes/pidfd.h"
#include "tests/unit/catch.h"
#include "tests/unit/child_process.h"

using namespace shorewatch;

namespace {

// A container is published whose initial process has this number, and is held by pidfd.
void publish(Registry& registry, const std::string& id, std::uint32_t pid, UniqueFd pidfd) {
    Container container;
    container.id = id;
    container.pid = pid;
    container.labels = std::make_shared<const Labels>();
    InitProcess::Facts facts;
    facts.process = Process{pid, 1};
    registry.apply("docker",
                   ContainerStarted{std::make_shared<const Container>(std::move(container)),
                                    {},
                                    Cause::event,
                                    std::make_shared<const InitProcess>(std::move(facts), std::move(pidfd),
                                                                        DescriptorBudget::Share())});
}

std::vector<std::string> ids(const std::vector<Registry::Found>& found) {
    std::vector<std::string> ids;
    for (const auto& [engine, container] : found)
        ids.push_back(container->id);
    return ids;
}

}  // namespace

TEST_CASE("an initial process is in its container, whatever can be read of it") {
    Registry registry;
    registry.add_engine("docker", "docker.com", "unix:///x");
    const ChildProcess first;
    const ChildProcess second;
    publish(registry, "web", first.pid(), open_pidfd(first.pid()));
    publish(registry, "db", second.pid(), open_pidfd(second.pid()));
    CHECK(ids(containers_of(registry, first.pid())) == std::vector<std::string>{"web"});
    CHECK(ids(containers_of(registry, second.pid())) == std::vector<std::string>{"db"});
    CHECK(containers_of(registry, static_cast<std::uint32_t>(::getpid())).empty());
}

TEST_CASE("who has the number of an initial process that has ended is not taken for it") {
    Registry registry;
    registry.add_engine("docker", "docker.com", "unix:///x");
    ChildProcess ended;
    UniqueFd pidfd = open_pidfd(ended.pid());
    ended.end();
    // This process has the number now.
    const auto number = static_cast<std::uint32_t>(::getpid());
    publish(registry, "web", number, std::move(pidfd));
    CHECK(containers_of(registry, number).empty());
}

TEST_CASE("a process that has ended is none, also when a container is still published with it") {
    Registry registry;
    registry.add_engine("docker", "docker.com", "unix:///x");
    ChildProcess child;
    publish(registry, "web", child.pid(), open_pidfd(child.pid()));
    child.kill();
    CHECK_THROWS_AS(containers_of(registry, child.pid()), NoSuchProcess);
    child.end();
    CHECK_THROWS_AS(containers_of(registry, child.pid()), NoSuchProcess);
}
