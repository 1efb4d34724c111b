// The watch over a fake Docker engine that is cut off, dies, comes back or hangs: nothing is missed, and
// nothing told that did not happen.
#include <string>
#include <vector>

#include "tests/fakes/fake_docker.h"
#include "tests/fakes/leak_check.h"
#include "tests/faults/watched.h"
#include "tests/unit/catch.h"

using namespace shorewatch;
using namespace shorewatch::fakes;
using namespace std::chrono_literals;

TEST_CASE("a cut connection is made again at once, and what happened meanwhile is told") {
    const LeakCheck leaks;
    FakeDocker engine;
    const auto stays = engine.start({.name = "stays"});
    const auto ends = engine.start({.name = "ends"});
    Watched watched(engine);
    REQUIRE(watched.wait_for(EngineState::watching));
    for (int i = 0; i < 20; ++i) {
        engine.drop_connections();
        const auto fresh = engine.start({.name = "fresh" + std::to_string(i)});
        REQUIRE(watched.wait_for(fresh, "started"));
    }
    engine.die(ends, 9, Tell::never);
    engine.drop_connections();
    CHECK(watched.wait_for(ends, "started exited:9"));
    CHECK(watched.history(stays) == "started");
}

TEST_CASE("an engine whose stream is gone, but which can be reached, is not lost, and nothing is missed") {
    const LeakCheck leaks;
    const bool in_good_order = GENERATE(true, false);
    FakeDocker engine;
    const auto stays = engine.start({.name = "stays"});
    const auto ends = engine.start({.name = "ends"});
    EngineWatch::Timing timing;
    timing.good_stream = {};
    timing.longest_reopening = patience;
    Watched watched(engine, {}, timing);
    REQUIRE(watched.wait_for(EngineState::watching));
    for (int i = 0; i < 5; ++i) {
        const auto before = engine.start({.name = "before" + std::to_string(i)});
        REQUIRE(watched.wait_for(before, "started"));
        in_good_order ? engine.end_streams() : engine.drop_connections();
        const auto after = engine.start({.name = "after" + std::to_string(i)});
        REQUIRE(watched.wait_for(after, "started"));
    }
    engine.die(ends, 9, Tell::never);
    engine.end_streams();
    CHECK(watched.wait_for(ends, "started exited:9"));
    CHECK(watched.history(stays) == "started");
    using enum EngineState;
    CHECK(watched.states() == std::vector{connecting, synchronizing, watching});
}

TEST_CASE("an engine whose stream is gone, and which can't be reached, is lost") {
    FakeDocker engine;
    EngineWatch::Timing timing;
    timing.good_stream = {};
    SECTION("at once, if that is certain") {
        timing.longest_reopening = 10 * patience;
        Watched watched(engine, {}, timing);
        REQUIRE(watched.wait_for(EngineState::watching));
        SECTION("as nobody listens") {
            engine.kill_engine();
        }
        SECTION("as there is no socket") {
            engine.shut_down();
        }
        CHECK(watched.wait_for(EngineState::lost));
    }
    SECTION("a little later, if it does not answer") {
        timing.longest_reopening = 10ms;
        docker::DockerOptions patient;
        patient.ping_deadline = 10 * patience;
        Watched watched(engine, patient, timing);
        REQUIRE(watched.wait_for(EngineState::watching));
        engine.when(Request::ping, {.never_answer = true});
        engine.end_streams();
        REQUIRE(watched.wait_for(EngineState::lost));
        CHECK(watched.wait_for_error("the engine ended the stream"));
    }
}

TEST_CASE("an outage is not a funeral, and the engine's return tells the difference") {
    FakeDocker engine;
    const auto stays = engine.start({.name = "stays"});
    const auto ends = engine.start({.name = "ends"});
    const auto again = engine.start({.name = "again"});
    Watched watched(engine);
    REQUIRE(watched.wait_for(EngineState::watching));
    engine.kill_engine();
    REQUIRE(watched.wait_for(EngineState::lost));
    CHECK(watched.history(ends) == "started");
    engine.die(ends, 2);
    engine.restart(again, 0);
    engine.come_back();
    REQUIRE(watched.wait_for(ends, "started exited:2"));
    REQUIRE(watched.wait_for(again, "started exited:? started"));
    REQUIRE(watched.wait_for(EngineState::watching));
    CHECK(watched.history(stays) == "started");
    CHECK(watched.status().last_error.empty());
}

TEST_CASE("an engine that is not there yet is waited for by its socket") {
    FakeDocker engine;
    engine.shut_down();
    Watched watched(engine);
    REQUIRE(watched.wait_for_error("there is no socket"));
    CHECK(watched.status().state == EngineState::unavailable);
    engine.come_back();
    CHECK(watched.wait_for(EngineState::watching));
    engine.shut_down();
    CHECK(watched.wait_for(EngineState::lost));
    engine.come_back();
    CHECK(watched.wait_for(EngineState::watching));
}

TEST_CASE("a folder in place of the socket is named, and the socket's return is noticed") {
    FakeDocker engine;
    Watched watched(engine);
    REQUIRE(watched.wait_for(EngineState::watching));
    engine.put_folder_in_place();
    CHECK(watched.wait_for_error("folder"));
    engine.come_back();
    CHECK(watched.wait_for(EngineState::watching));
}

TEST_CASE("nonsense in the stream costs the connection, and nothing else") {
    const LeakCheck leaks;
    const std::vector<std::string> nonsense{"{\"Type\":", "]]]", "\x01\x02\x03",
                                            "{\"Type\":\"container\",\"Action\":\"die\"",
                                            "{\"errorDetail\":{\"message\":\"boom\"}}"};
    FakeDocker engine;
    const auto web = engine.start({.name = "web"});
    Watched watched(engine);
    REQUIRE(watched.wait_for(EngineState::watching));
    for (const std::string& text : nonsense) {
        CAPTURE(text);
        engine.stream_text(text);
        engine.cut_streams();
        const auto fresh = engine.start({.name = "fresh"});
        CHECK(watched.wait_for(fresh, "started"));
        engine.remove(fresh);
    }
    CHECK(watched.history(web) == "started");
}

TEST_CASE("a watcher ends at once, whatever its engine is doing") {
    const LeakCheck leaks;
    FakeDocker engine;
    for (int i = 0; i < 20; ++i)
        (void)engine.start({.name = "c" + std::to_string(i)});
    SECTION("frozen before it is reached") {
        engine.freeze();
    }
    SECTION("inspections hang") {
        engine.when(Request::inspect, {.never_answer = true});
    }
    SECTION("the list hangs") {
        engine.when(Request::list, {.never_answer = true});
    }
    {
        Watched watched(engine);
        CHECK(watched.is_turning());
    }
    engine.thaw();
}
