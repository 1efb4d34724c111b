// The watch over a fake Docker engine whose containers' processes are real ones, held: the kernel's word on
// their ends and the engine's make one signal together, whichever comes first or not at all.
#include <csignal>
#include <cstdint>
#include <functional>
#include <mutex>
#include <string>
#include <utility>

#include "daemon/processes/descriptor_budget.h"
#include "daemon/processes/init_process.h"
#include "tests/fakes/fake_docker.h"
#include "tests/fakes/leak_check.h"
#include "tests/faults/watched.h"
#include "tests/unit/catch.h"
#include "tests/unit/child_process.h"

using namespace shorewatch;
using namespace shorewatch::fakes;
using namespace std::chrono_literals;

namespace {

struct Kernel {
    DescriptorBudget budget{64};
    KernelProcesses processes{budget};
};

// The kernel's, with something done before it is asked about a certain process.
class Interrupted final : public InitProcesses {
  public:
    [[nodiscard]] Held open(const Container& container, const Teller& teller) override {
        if (container.pid == pid_) std::exchange(then_, [] {})();
        return kernel_.processes.open(container, teller);
    }
    // Before the engine is watched.
    void before(std::uint32_t pid, std::function<void()> then) {
        pid_ = pid;
        then_ = std::move(then);
    }

  private:
    Kernel kernel_;
    std::uint32_t pid_ = 0;
    std::function<void()> then_ = [] {};
};

// Of processes that we may hold and not look at, as without CAP_SYS_PTRACE.
class Unseen final : public InitProcesses {
  public:
    [[nodiscard]] Held open(const Container& container, const Teller& teller) override {
        Held held = kernel_.processes.open(container, teller);
        if (!held.process) return held;
        InitProcess::Facts facts = held.process->facts();
        facts.readable = false;
        held.process = std::make_shared<const InitProcess>(std::move(facts), held.process->open(),
                                                           DescriptorBudget::Share());
        return held;
    }

  private:
    Kernel kernel_;
};

// With the exit code that it was made with, its parent having waited for it.
void end_by_itself(ChildProcess& child) {
    child.kill(SIGTERM);
    child.end();
}

std::string exited(int code) {
    return "exited:" + (kernel_tells_exit_codes() ? std::to_string(code) : "?");
}

// What the engine tells is taken in its order: once this is published, all before it has been heard.
[[nodiscard]] bool all_is_heard(FakeDocker& engine, Watched& watched) {
    return watched.wait_for(engine.start({}), "started");
}

}  // namespace

TEST_CASE("the kernel tells of an end before the engine does, and the engine's word makes no second signal") {
    const LeakCheck leaks;
    ChildProcess child(exit_when_told<7>);
    Kernel kernel;
    FakeDocker engine;
    Watched watched(engine, {}, {}, &kernel.processes);
    REQUIRE(watched.wait_for(EngineState::watching));
    const auto web = engine.start({.name = "web", .pid = child.pid()});
    REQUIRE(watched.wait_for(web, "started"));
    end_by_itself(child);
    REQUIRE(watched.wait_for(web, "started " + exited(7)));
    engine.die(web, 7, GENERATE(Tell::once, Tell::twice));
    REQUIRE(all_is_heard(engine, watched));
    CHECK(watched.history(web) == "started " + exited(7));
    // Nor is it found again.
    watched.resync();
    REQUIRE(all_is_heard(engine, watched));
    CHECK(watched.history(web) == "started " + exited(7));
}

TEST_CASE("a process that was alive at the start is held too") {
    ChildProcess child(exit_when_told<7>);
    Kernel kernel;
    FakeDocker engine;
    const auto web = engine.start({.name = "web", .pid = child.pid()});
    Watched watched(engine, {}, {}, &kernel.processes);
    REQUIRE(watched.wait_for(EngineState::watching));
    end_by_itself(child);
    CHECK(watched.wait_for(web, "started " + exited(7)));
}

TEST_CASE("the engine tells of an end first, and the kernel's word makes no second signal") {
    ChildProcess child(exit_when_told<7>);
    ChildProcess other(exit_when_told<8>);
    Kernel kernel;
    FakeDocker engine;
    Watched watched(engine, {}, {}, &kernel.processes);
    REQUIRE(watched.wait_for(EngineState::watching));
    const auto web = engine.start({.name = "web", .pid = child.pid()});
    const auto db = engine.start({.name = "db", .pid = other.pid()});
    REQUIRE(watched.wait_for(web, "started"));
    REQUIRE(watched.wait_for(db, "started"));
    engine.die(web, 7);
    REQUIRE(watched.wait_for(web, "started exited:7"));
    end_by_itself(child);
    end_by_itself(other);
    REQUIRE(watched.wait_for(db, "started " + exited(8)));
    CHECK(watched.history(web) == "started exited:7");
}

TEST_CASE("a restart at once is a new run, whoever tells of the first one's end") {
    ChildProcess first(exit_when_told<7>);
    ChildProcess second(exit_when_told<8>);
    Kernel kernel;
    FakeDocker engine;
    Watched watched(engine, {}, {}, &kernel.processes);
    REQUIRE(watched.wait_for(EngineState::watching));
    const auto web = engine.start({.name = "web", .pid = first.pid()});
    REQUIRE(watched.wait_for(web, "started"));
    std::string end = "exited:7";
    SECTION("the kernel, before the engine has told anything") {
        engine.hold_events();
        end_by_itself(first);
        end = exited(7);
        REQUIRE(watched.wait_for(web, "started " + end));
        engine.die(web, 7);
        engine.start_as(second.pid(), web);
        engine.release_events();
    }
    SECTION("the kernel, and the engine at the same time") {
        engine.hold_events();
        engine.die(web, 7);
        engine.start_as(second.pid(), web);
        end_by_itself(first);
        engine.release_events();
    }
    SECTION("the engine, the process not being waited for until later") {
        engine.die(web, 7);
        engine.start_as(second.pid(), web);
    }
    REQUIRE(watched.wait_for(web, "started " + end + " started"));
    first.end();
    end_by_itself(second);
    REQUIRE(watched.wait_for(web, "started " + end + " started " + exited(8)));
    engine.die(web, 8);
    REQUIRE(all_is_heard(engine, watched));
    CHECK(watched.history(web) == "started " + end + " started " + exited(8));
}

TEST_CASE("an end is told while the engine hangs, and not again when it goes on") {
    ChildProcess child(exit_when_told<7>);
    Kernel kernel;
    FakeDocker engine;
    Watched watched(engine, {}, {}, &kernel.processes);
    REQUIRE(watched.wait_for(EngineState::watching));
    const auto web = engine.start({.name = "web", .pid = child.pid()});
    REQUIRE(watched.wait_for(web, "started"));
    engine.freeze();
    end_by_itself(child);
    REQUIRE(watched.wait_for(web, "started " + exited(7)));
    engine.die(web, 7);
    engine.thaw();
    REQUIRE(all_is_heard(engine, watched));
    CHECK(watched.history(web) == "started " + exited(7));
}

TEST_CASE("an end is told while the engine is down, and not again when it comes back") {
    ChildProcess child(exit_when_told<7>);
    ChildProcess next(exit_when_told<8>);
    Kernel kernel;
    FakeDocker engine;
    Watched watched(engine, {}, {}, &kernel.processes);
    REQUIRE(watched.wait_for(EngineState::watching));
    const auto web = engine.start({.name = "web", .pid = child.pid()});
    REQUIRE(watched.wait_for(web, "started"));
    engine.kill_engine();
    REQUIRE(watched.wait_for(EngineState::lost));
    end_by_itself(child);
    REQUIRE(watched.wait_for(web, "started " + exited(7)));
    CHECK(watched.status().state == EngineState::lost);
    engine.die(web, 7);
    std::string expected = "started " + exited(7);
    SECTION("over for good") {}
    SECTION("started again meanwhile") {
        engine.start_as(next.pid(), web);
        expected += " started";
    }
    engine.come_back();
    REQUIRE(watched.wait_for(EngineState::watching));
    REQUIRE(watched.wait_for(web, expected));
    REQUIRE(all_is_heard(engine, watched));
    CHECK(watched.history(web) == expected);
}

TEST_CASE("without a descriptor to hold a process by, the engine's word on its end counts") {
    ChildProcess child(exit_when_told<7>);
    DescriptorBudget none(0);
    KernelProcesses processes(none);
    FakeDocker engine;
    Watched watched(engine, {}, {}, &processes);
    REQUIRE(watched.wait_for(EngineState::watching));
    const auto web = engine.start({.name = "web", .pid = child.pid()});
    REQUIRE(watched.wait_for(web, "started"));
    end_by_itself(child);
    REQUIRE(all_is_heard(engine, watched));
    CHECK(watched.history(web) == "started");
    engine.die(web, 9);  // in its own words
    CHECK(watched.wait_for(web, "started exited:9"));
}

TEST_CASE("where the kernel doesn't tell how a process ended, the engine is asked") {
    ChildProcess child(exit_when_told<7>);
    Unseen processes;
    FakeDocker engine;
    Watched watched(engine, {}, {}, &processes);
    REQUIRE(watched.wait_for(EngineState::watching));
    const auto web = engine.start({.name = "web", .pid = child.pid()});
    REQUIRE(watched.wait_for(web, "started"));
    engine.die(web, 9, Tell::never);  // in its own words
    child.kill(SIGTERM);              // and it is not waited for
    CHECK(watched.wait_for(web, "started exited:9"));
}

TEST_CASE("a run whose process ends as it is published ends, though the engine never tells of it") {
    ChildProcess proves;
    ChildProcess child(exit_when_told<7>);
    const std::uint32_t pid = child.pid();
    Interrupted processes;
    FakeDocker engine;
    std::string web;
    processes.before(pid, [&] {
        engine.die(web, 7, Tell::never);
        end_by_itself(child);
    });
    // Shows that the engine's processes are this machine's.
    const auto other = engine.start({.name = "other", .pid = proves.pid()});
    Watched watched(engine, {}, {}, &processes);
    REQUIRE(watched.wait_for(other, "started"));
    REQUIRE(watched.wait_for(EngineState::watching));
    web = engine.create({.name = "web", .pid = pid});
    engine.start(web);
    CHECK(watched.wait_for(web, "started exited:7"));
    CHECK(watched.history(other) == "started");
}

TEST_CASE("an engine none of whose processes are here is followed by its events alone") {
    Kernel kernel;
    FakeDocker engine;
    Watched watched(engine, {}, {}, &kernel.processes);
    REQUIRE(watched.wait_for(EngineState::watching));
    const auto web = engine.start({.name = "web"});  // with a pid that no process can have
    REQUIRE(watched.wait_for(web, "started"));
    REQUIRE(all_is_heard(engine, watched));
    watched.resync();
    REQUIRE(all_is_heard(engine, watched));
    CHECK(watched.history(web) == "started");
    engine.die(web, 5);
    CHECK(watched.wait_for(web, "started exited:5"));
}

TEST_CASE("a process that can't be the container's is not held, and its end is not the container's") {
    ChildProcess child(exit_when_told<7>);
    ChildProcess real(exit_when_told<8>);
    Kernel kernel;
    FakeDocker engine;
    Watched watched(engine, {}, {}, &kernel.processes);
    REQUIRE(watched.wait_for(EngineState::watching));
    // Began long after what the engine says.
    engine.set_clock_offset(-1h);
    const auto web = engine.start({.name = "web", .pid = child.pid()});
    engine.set_clock_offset(0h);
    const auto db = engine.start({.name = "db", .pid = real.pid()});
    REQUIRE(watched.wait_for(db, "started"));
    REQUIRE(watched.wait_for(web, "started"));
    end_by_itself(child);
    end_by_itself(real);
    REQUIRE(watched.wait_for(db, "started " + exited(8)));
    CHECK(watched.history(web) == "started");
}
