// The watch over a fake Docker engine: what is published in the end is what is, and each run is told once,
// whatever the engine tells, and in which order.
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "tests/fakes/fake_docker.h"
#include "tests/fakes/leak_check.h"
#include "tests/faults/watched.h"
#include "tests/unit/catch.h"

using namespace shorewatch;
using namespace shorewatch::fakes;
using namespace std::chrono_literals;

TEST_CASE("a container is told from its start to its end, with the engine's word on how") {
    const LeakCheck leaks;
    FakeDocker engine;
    Watched watched(engine);
    REQUIRE(watched.wait_for(EngineState::watching));
    const auto web = engine.start({.name = "web"});
    REQUIRE(watched.wait_for(web, "started"));
    engine.pause(web);
    engine.unpause(web);
    engine.rename(web, "site");
    engine.die(web, 7);
    CHECK(watched.wait_for(web, "started paused unpaused renamed exited:7"));
}

TEST_CASE("what is alive at the start is found, and what is paused is told as paused") {
    FakeDocker engine;
    const auto web = engine.start({.name = "web"});
    const auto db = engine.start({.name = "db"});
    engine.pause(db);
    const auto gone = engine.start({.name = "gone"});
    engine.die(gone);
    Watched watched(engine);
    REQUIRE(watched.wait_for(EngineState::watching));
    CHECK(watched.history(web) == "started");
    CHECK(watched.history(db) == "started paused");
    CHECK(watched.history(gone).empty());
}

TEST_CASE("an exec, a health probe and a SIGHUP are no deaths") {
    FakeDocker engine;
    const auto web = engine.start({.name = "web"});
    Watched watched(engine);
    REQUIRE(watched.wait_for(EngineState::watching));
    engine.exec(web, "true", 1);
    engine.probe_health(web);
    engine.kill(web, 1);
    engine.pause(web);
    CHECK(watched.wait_for(web, "started paused"));
}

TEST_CASE("200 containers that end at once are 200 pairs") {
    FakeDocker engine;
    Watched watched(engine);
    REQUIRE(watched.wait_for(EngineState::watching));
    std::vector<std::string> ids;
    for (int i = 0; i < 200; ++i) {
        ids.push_back(engine.start({.name = "short" + std::to_string(i)}));
        engine.die(ids.back(), i);
        engine.remove(ids.back());
    }
    for (std::size_t i = 0; i < ids.size(); ++i) {
        CHECK(watched.wait_for(ids[i], "started exited:" + std::to_string(i)));
    }
}

TEST_CASE("a container that ends between the list and its inspection is told once") {
    FakeDocker engine;
    const auto web = engine.start({.name = "web"});
    engine.when(Request::inspect, {.nth = 1, .before = [&] { engine.die(web, 5); }});
    Watched watched(engine);
    REQUIRE(watched.wait_for(EngineState::watching));
    CHECK(watched.wait_for(web, "started exited:5"));
    engine.start(web);
    CHECK(watched.wait_for(web, "started exited:5 started"));
}

TEST_CASE("a container that is restarted while it is inspected is told as two runs") {
    FakeDocker engine;
    Watched watched(engine);
    REQUIRE(watched.wait_for(EngineState::watching));
    std::string web;
    engine.when(Request::inspect, {.nth = 1, .before = [&] { engine.restart(web, 3); }});
    web = engine.create({.name = "web"});
    engine.start(web);
    CHECK(watched.wait_for(web, "started exited:3 started"));
}

TEST_CASE("events that are told twice make no second signal") {
    FakeDocker engine;
    Watched watched(engine);
    REQUIRE(watched.wait_for(EngineState::watching));
    const auto web = engine.start({.name = "web"}, Tell::twice);
    REQUIRE(watched.wait_for(web, "started"));
    engine.pause(web, Tell::twice);
    engine.unpause(web, Tell::twice);
    engine.die(web, 1, Tell::twice);
    engine.start(web, Tell::twice);
    CHECK(watched.wait_for(web, "started paused unpaused exited:1 started"));
}

TEST_CASE("events out of order make no second run and no ghost") {
    FakeDocker engine;
    Watched watched(engine);
    REQUIRE(watched.wait_for(EngineState::watching));
    const auto web = engine.create({.name = "web"});
    engine.hold_events();
    engine.start(web);
    engine.die(web, 4);
    const auto held = engine.held_events();
    std::vector<std::size_t> order;
    for (std::size_t i = held.size(); i-- > 0;)
        order.push_back(i);
    engine.release_events(order);
    CHECK(watched.wait_for(web, "started exited:4"));
    engine.start(web);
    CHECK(watched.wait_for(web, "started exited:4 started"));
}

TEST_CASE("an inspection that hangs holds up neither the others nor the word that all is synchronised") {
    FakeDocker engine;
    const auto hung = engine.start({.name = "hung"});
    const auto web = engine.start({.name = "web"});
    Gate gate;
    engine.when(Request::inspect, {.container = hung, .hold = gate});
    Watched watched(engine, {}, {.longest_settling = 50ms});
    REQUIRE(watched.wait_for(web, "started"));
    REQUIRE(watched.wait_for(EngineState::watching));
    CHECK(watched.history(hung).empty());
    gate.open();
    CHECK(watched.wait_for(hung, "started"));
}

TEST_CASE("an inspection that is never answered is tried again") {
    FakeDocker engine;
    const auto web = engine.start({.name = "web"});
    engine.when(Request::inspect, {.nth = 1, .never_answer = true});
    docker::DockerOptions impatient;
    impatient.inspect_deadline = 100ms;
    Watched watched(engine, impatient);
    CHECK(watched.wait_for(web, "started"));
}

TEST_CASE("an event larger than what is taken costs a list, and nothing is missed") {
    FakeDocker engine;
    docker::DockerOptions modest;
    modest.event_limit = 64 * 1024;
    Watched watched(engine, modest);
    REQUIRE(watched.wait_for(EngineState::watching));
    const auto big =
        engine.start({.name = "big", .labels = {{"big", std::string(200'000, 'x')}, {"tier", "front"}}});
    CHECK(watched.wait_for(big, "started"));
    const auto web = engine.start({.name = "web"});
    CHECK(watched.wait_for(web, "started"));
    engine.die(big, 3);
    CHECK(watched.wait_for(big, "started exited:3"));
}

TEST_CASE("a clock that jumps an hour back or forth loses no end") {
    FakeDocker engine;
    const auto web = engine.start({.name = "web"});
    const auto db = engine.start({.name = "db"});
    Watched watched(engine);
    REQUIRE(watched.wait_for(EngineState::watching));
    engine.set_clock_offset(-1h);
    engine.die(web, 1);
    CHECK(watched.wait_for(web, "started exited:1"));
    engine.set_clock_offset(1h);
    engine.die(db, 2);
    CHECK(watched.wait_for(db, "started exited:2"));
}

TEST_CASE("a resync that is asked for tells what the engine forgot to") {
    FakeDocker engine;
    const auto web = engine.start({.name = "web"});
    Watched watched(engine);
    REQUIRE(watched.wait_for(EngineState::watching));
    engine.die(web, 6, Tell::never);
    const auto db = engine.start({.name = "db"}, Tell::never);
    watched.resync();
    CHECK(watched.wait_for(web, "started exited:6"));
    CHECK(watched.wait_for(db, "started"));
}

TEST_CASE("in a storm of starts, ends, pauses and cuts the portfolio is what is, and each run is told once") {
    const LeakCheck leaks;
    FakeDocker engine;
    Watched watched(engine);
    REQUIRE(watched.wait_for(EngineState::watching));
    std::vector<std::string> ids;
    for (int i = 0; i < 40; ++i)
        ids.push_back(engine.create({.name = "c" + std::to_string(i)}));
    std::map<std::string, std::pair<std::string, bool>> expected;
    for (unsigned round = 0; round < 30; ++round) {
        for (std::size_t i = 0; i < ids.size(); ++i) {
            const bool runs = expected.contains(ids[i]);
            const Tell tell = (round + i) % 3 == 0 ? Tell::twice : Tell::once;
            if (!runs) {
                engine.start(ids[i], tell);
                expected[ids[i]] = {"c" + std::to_string(i), false};
            } else if ((round + i) % 4 == 0) {
                engine.restart(ids[i], 0, tell);
                expected[ids[i]].second = false;
            } else if ((round + i) % 4 == 1 && !expected[ids[i]].second) {
                engine.pause(ids[i], tell);
                expected[ids[i]].second = true;
            } else if (!expected[ids[i]].second) {
                engine.die(ids[i], 1, tell);
                expected.erase(ids[i]);
            }
        }
        if (round % 5 == 4) engine.drop_connections();
    }
    CHECK(watched.wait_for_alive(expected));
    REQUIRE(watched.wait_for(EngineState::watching));
    for (const std::string& id : ids) {
        const std::string history = watched.history(id);
        CAPTURE(history);
        // Started and exited take turns, beginning with started.
        bool alive = false;
        std::size_t at = 0;
        while ((at = history.find_first_of("se", at)) != std::string::npos) {
            const bool start = history.compare(at, 7, "started") == 0;
            const bool end = history.compare(at, 6, "exited") == 0;
            if (start || end) {
                CHECK(start != alive);
                alive = start;
            }
            at = history.find(' ', at);
            if (at == std::string::npos) break;
        }
        CHECK(alive == expected.contains(id));
    }
}
