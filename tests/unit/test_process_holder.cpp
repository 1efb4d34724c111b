// Which processes of an engine's containers are held, and which are told to have gone.
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "daemon/processes/process_holder.h"
#include "tests/fakes/drive.h"
#include "tests/unit/catch.h"
#include "tests/unit/child_process.h"

using namespace shorewatch;
using fakes::drive;

namespace {

// Answers as a test says.
class SaidProcesses final : public InitProcesses {
  public:
    [[nodiscard]] Held open(const Container& container, const Teller& teller) override {
        tellers.push_back(teller);
        return answers[container.pid];
    }
    std::map<std::uint32_t, Held> answers;
    std::vector<Teller> tellers;
};

struct World {
    EventLoop loop;
    SaidProcesses processes;
    std::vector<std::string> told;
    ProcessHolder holder{loop, "docker", &processes,
                         [this](const std::string& id, std::uint32_t pid, const ExitReport& report) {
                             CHECK(report.cause == Cause::kernel);
                             told.push_back(id + "/" + std::to_string(pid));
                         }};

    // As what the holder says later is said before this.
    void turn() {
        bool turned = false;
        Timer later(loop, [&] { turned = true; });
        later.arm_after({});
        REQUIRE(drive(loop, [&] { return turned; }));
    }
};

Container container(const std::string& id, std::uint32_t pid) {
    Container container;
    container.id = container.name = id;
    container.pid = pid;
    return container;
}

Held held(std::uint32_t pid, UniqueFd pidfd = {}) {
    InitProcess::Facts facts;
    facts.process = {pid, 1};
    return {
        std::make_shared<const InitProcess>(std::move(facts), std::move(pidfd), DescriptorBudget::Share()),
        {},
        {}};
}

Held not_held(NotHeld why) {
    return {nullptr, why, "it is tested"};
}

}  // namespace

TEST_CASE("what can't be held is not asked for") {
    World world;
    CHECK(world.holder.hold(container("web", 0)) == nullptr);
    CHECK(world.processes.tellers.empty());
    ProcessHolder remote(world.loop, "remote", nullptr,
                         [](const std::string&, std::uint32_t, const ExitReport&) {});
    CHECK(remote.hold(container("web", 7)) == nullptr);
}

TEST_CASE("the engine's user is told to whoever judges its word") {
    World world;
    world.processes.answers[7] = held(7);
    CHECK(world.holder.hold(container("web", 7))->pid() == 7);
    world.holder.set_teller({1000U, true});
    CHECK(world.holder.hold(container("web", 7))->pid() == 7);
    REQUIRE(world.processes.tellers.size() == 2);
    CHECK_FALSE(world.processes.tellers[0].uid);
    CHECK(world.processes.tellers[1].uid == 1000U);
    CHECK(world.processes.tellers[1].in_container);
}

TEST_CASE("the process of a run that has gone is told of, but not within the question") {
    World world;
    world.processes.answers[7] = held(7);
    world.processes.answers[8] = world.processes.answers[9] = not_held(NotHeld::gone);
    REQUIRE(world.holder.hold(container("web", 7)));
    CHECK(world.holder.hold(container("db", 8)) == nullptr);
    CHECK(world.holder.hold(container("cache", 9)) == nullptr);
    CHECK(world.told.empty());
    world.turn();
    CHECK(world.told == std::vector<std::string>{"db/8", "cache/9"});
    world.turn();
    CHECK(world.told.size() == 2);
}

TEST_CASE("an engine none of whose processes was ever found may be of another machine, and nothing is told") {
    World world;
    world.processes.answers[8] = not_held(NotHeld::gone);
    CHECK(world.holder.hold(container("db", 8)) == nullptr);
    CHECK(world.holder.hold(container("db", 8)) == nullptr);
    world.turn();
    CHECK(world.told.empty());
    // Not even when one is found later: what was not told of is the engine's to tell.
    world.processes.answers[7] = held(7);
    REQUIRE(world.holder.hold(container("web", 7)));
    world.turn();
    CHECK(world.told.empty());
}

TEST_CASE("a process that is another's, or not to be seen, is not told to have ended") {
    World world;
    world.processes.answers[7] = held(7);
    world.processes.answers[8] = not_held(NotHeld::another);
    world.processes.answers[9] = not_held(NotHeld::unknown);
    REQUIRE(world.holder.hold(container("web", 7)));
    CHECK(world.holder.hold(container("db", 8)) == nullptr);
    CHECK(world.holder.hold(container("cache", 9)) == nullptr);
    world.turn();
    CHECK(world.told.empty());
}

TEST_CASE("a held process is told of when it ends, unless it was released before") {
    World world;
    ChildProcess stays;
    ChildProcess goes;
    const std::uint32_t pid = goes.pid();
    world.processes.answers[stays.pid()] = held(stays.pid(), open_pidfd(stays.pid()));
    world.processes.answers[pid] = held(pid, open_pidfd(pid));
    REQUIRE(world.holder.hold(container("released", stays.pid())));
    REQUIRE(world.holder.hold(container("web", pid)));
    world.holder.release("released");
    stays.end();
    goes.end();
    REQUIRE(drive(world.loop, [&] { return !world.told.empty(); }));
    world.turn();
    CHECK(world.told == std::vector<std::string>{"web/" + std::to_string(pid)});
}
