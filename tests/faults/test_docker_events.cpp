// What a Docker engine's event stream tells, and what is made of it.
#include <csignal>
#include <string>

#include "tests/fakes/event_log.h"
#include "tests/faults/docker_fixture.h"

using namespace shorewatch;
using namespace shorewatch::fakes;
using namespace std::chrono_literals;
using Catch::Matchers::ContainsSubstring;
using Kind = EngineError::Kind;
using Type = ContainerEvent::Type;

namespace {

RealTime asked_since(const FakeDocker& engine) {
    return parse_since(engine.seen().last(Request::events)->http.parameter("since"));
}

}  // namespace

TEST_CASE("the life of a container is told in its order") {
    // From 1.52 on events have another shape.
    const ApiMinor api = GENERATE(41U, 52U);
    DockerFixture fixture({.facts = {.newest_api = api}});
    fixture.open();
    FakeDocker& engine = fixture.engine;
    const auto web = engine.start({.name = "web"});
    engine.pause(web);
    engine.unpause(web);
    engine.rename(web, "front");
    engine.oom(web);
    engine.die(web, 137);
    engine.start(web);
    engine.stop(web, 143);
    engine.start(web);
    engine.restart(web, 0);
    engine.remove(web);
    fixture.pass_a_marker();
    CHECK(fixture.observer.story() ==
          "started web, paused web, unpaused web, renamed front, oom front, exited front 137, started front, "
          "exited front 143, started front, exited front 0, started front, exited front 137");
}

TEST_CASE("an event brings what the engine says in it") {
    DockerFixture fixture;
    fixture.open();
    fixture.engine.hold_events();
    const auto web = fixture.engine.start(
        {.name = "web", .labels = {{"b", "2"}, {"com.docker.compose.project", "shop"}}, .image = "nginx:1"});
    const auto held = fixture.engine.held_events();
    fixture.engine.release_events();
    REQUIRE(fixture.wait_for_events(1));
    const ContainerEvent& event = fixture.observer.events.front();
    CHECK(event.type == Type::started);
    CHECK(event.time == held.back().time);
    CHECK_FALSE(event.exit_code);
    CHECK(event.container->id == web);
    CHECK(event.container->image == "nginx:1");
    CHECK(event.container->project == "shop");
    CHECK(event.container->labels->entries() ==
          std::vector<Labels::Entry>{{"b", "2"}, {"com.docker.compose.project", "shop"}});
    CHECK(event.container->exit_events_tell_code);
}

TEST_CASE("a label that replaces the exit code in the event is not believed") {
    DockerFixture fixture;
    fixture.open();
    const auto web = fixture.engine.start({.name = "web", .labels = {{"exitCode", "99"}}});
    REQUIRE(fixture.wait_for_events(1));
    CHECK_FALSE(fixture.observer.events[0].container->exit_events_tell_code);
    CHECK_FALSE(fixture.inspect(web).value().container->exit_events_tell_code);
    fixture.engine.die(web, 3);
    CHECK(fixture.inspect(web).value().exit_code == 3);
}

TEST_CASE("exec, health probes and kill are no death") {
    DockerFixture fixture;
    fixture.open();
    const auto web = fixture.engine.start({.name = "web"});
    fixture.engine.exec(web, "true ", 7);
    fixture.engine.probe_health(web);
    fixture.engine.kill(web, SIGHUP);
    // Even from an engine that sends what it was not asked for.
    for (const char* action :
         {"exec_die", "kill", "exec_start: die", "health_status: unhealthy", "died", "destroy"}) {
        fixture.engine.stream_text(event_line(
            {.action = action, .id = web, .attributes = {{"exitCode", "9"}}, .time = real_time_now()}, 41));
    }
    fixture.pass_a_marker();
    CHECK(fixture.observer.story() == "started web");
}

TEST_CASE("only what is used is asked for") {
    DockerFixture fixture;
    fixture.open();
    const HttpRequest request = fixture.engine.seen().last(Request::events)->http;
    CHECK(filter_values(request.parameter("filters"), "type") == std::set<std::string>{"container"});
    CHECK(filter_values(request.parameter("filters"), "event") ==
          std::set<std::string>{"start", "die", "pause", "unpause", "rename", "oom"});
}

TEST_CASE("what happens between the stream's head and its subscription is told") {
    const auto transport = GENERATE(FakeDocker::Transport::unix_socket, FakeDocker::Transport::tcp);
    DockerFixture fixture({.transport = transport});
    // Over TCP the engine's clock may be another.
    if (transport == FakeDocker::Transport::tcp) fixture.engine.set_clock_offset(-1h);
    Gate subscription;
    fixture.engine.when(Request::events, {.hold = subscription});
    fixture.client.lifecycle_events({}, fixture.observer);
    REQUIRE(fixture.drive_until([&] { return fixture.observer.opens == 1; }));
    REQUIRE(subscription.wait_for_arrivals(1));
    fixture.engine.start({.name = "web"});
    subscription.open();
    REQUIRE(fixture.wait_for_events(1));
    CHECK(fixture.observer.story() == "started web");
}

TEST_CASE("a new watcher is not told of the past") {
    DockerFixture fixture;
    fixture.engine.start({.name = "old"});
    fixture.open();
    fixture.pass_a_marker();
    CHECK(fixture.observer.story().empty());
}

TEST_CASE("events missed during a break are told afterwards, those taken are not told again") {
    DockerFixture fixture;
    const auto transport_break = GENERATE(0, 1, 2);
    fixture.open();
    const auto web = fixture.engine.start({.name = "web"});
    fixture.engine.pause(web);
    REQUIRE(fixture.wait_for_events(2));
    if (transport_break == 0) fixture.engine.cut_streams();
    if (transport_break == 1) fixture.engine.end_streams();
    if (transport_break == 2) fixture.engine.drop_connections();
    const EngineError error = fixture.wait_for_end();
    CHECK(error.kind == Kind::unreachable);
    CHECK_THAT(error.message, ContainsSubstring(fixture.engine.endpoint().url()));
    fixture.engine.unpause(web);
    fixture.engine.die(web, 5);

    const RealTime last = fixture.observer.events.back().time;
    fixture.open(last);
    CHECK(asked_since(fixture.engine) < last);
    fixture.pass_a_marker();
    CHECK(fixture.observer.story() == "started web, paused web, unpaused web, exited web 5");
}

TEST_CASE("over many breaks each event is told once") {
    DockerFixture fixture;
    fixture.open();
    const auto web = fixture.engine.start({.name = "web"});
    std::string story = "started web";
    for (int i = 0; i < 50; ++i) {
        fixture.engine.pause(web, Tell::twice);
        fixture.pass_a_marker();
        fixture.engine.cut_streams();
        fixture.engine.unpause(web);
        static_cast<void>(fixture.wait_for_end());
        fixture.open(fixture.observer.events.back().time);
        fixture.pass_a_marker();
        story += ", paused web, unpaused web";
    }
    CHECK(fixture.observer.story() == story);
}

TEST_CASE("an event that the engine tells twice is told once") {
    DockerFixture fixture;
    fixture.open();
    const auto web = fixture.engine.start({.name = "web"}, Tell::twice);
    fixture.engine.pause(web, Tell::twice);
    fixture.engine.die(web, 1, Tell::twice);
    fixture.pass_a_marker();
    CHECK(fixture.observer.story() == "started web, paused web, exited web 1");
}

TEST_CASE("late events and events out of order are told as they come") {
    DockerFixture fixture;
    fixture.open();
    fixture.engine.hold_events();
    const auto web = fixture.engine.start({.name = "web"});  // create, connect, start
    fixture.engine.die(web, 4);                              // die, disconnect
    fixture.engine.release_events({4, 3, 2, 1, 0});
    fixture.pass_a_marker();
    CHECK(fixture.observer.story() == "exited web 4, started web");
    CHECK(fixture.observer.events[0].time > fixture.observer.events[1].time);
}

TEST_CASE("events go on when the engine's clock jumps") {
    DockerFixture fixture;
    fixture.open();
    const auto web = fixture.engine.start({.name = "web"});
    fixture.engine.set_clock_offset(-1h);
    fixture.engine.pause(web);
    fixture.engine.set_clock_offset(1h);
    fixture.engine.unpause(web);
    REQUIRE(fixture.wait_for_events(3));
    CHECK(fixture.observer.story() == "started web, paused web, unpaused web");
    CHECK(fixture.observer.events[2].time - fixture.observer.events[1].time > 1h);
}

TEST_CASE("a flood of events comes whole and in order") {
    DockerFixture fixture;
    fixture.open();
    const auto web = fixture.engine.start({.name = "web"});
    for (int i = 0; i < 5000; ++i) {
        fixture.engine.pause(web);
        fixture.engine.unpause(web);
    }
    REQUIRE(fixture.wait_for_events(10'001));
    fixture.pass_a_marker();
    REQUIRE(fixture.observer.events.size() == 10'001);
    for (std::size_t i = 1; i < fixture.observer.events.size(); ++i) {
        REQUIRE(fixture.observer.events[i].type == (i % 2 == 1 ? Type::paused : Type::unpaused));
        REQUIRE(fixture.observer.events[i].time > fixture.observer.events[i - 1].time);
    }
}

TEST_CASE("what is no event is passed over, and the stream goes on") {
    const auto text = GENERATE(
        as<std::string>{}, "null\n", "null", "{}\n", "[]\n", "[{\"Type\":\"container\"}]", "\"text\"", "42 ",
        "true ", "\n\n\n \t\r\n", R"({"Type":"container"})", R"({"Action":"die"})",
        R"({"Type":"container","Action":"die"})",
        R"({"Type":"container","Action":"die","Actor":null,"time":1})",
        R"({"Type":"container","Action":"die","Actor":{"ID":7,"Attributes":{}},"time":1})",
        R"({"Type":"container","Action":"die","Actor":{"ID":"","Attributes":{}},"time":1})",
        R"({"Type":"container","Action":"die","Actor":{"ID":"x","Attributes":{}}})",
        R"({"Type":"container","Action":"die","Actor":{"ID":"x"},"time":"soon","timeNano":[]})",
        R"({"Type":"pod","Action":"die","Actor":{"ID":"x","Attributes":{}},"time":1,"timeNano":1000000000})",
        R"({"Type":7,"Action":{},"Actor":[],"time":{}})");
    CAPTURE(text);
    DockerFixture fixture;
    fixture.open();
    const auto web = fixture.engine.start({.name = "web"});
    fixture.engine.stream_text(text);
    fixture.engine.die(web, 2);
    fixture.pass_a_marker();
    CHECK(fixture.observer.story() == "started web, exited web 2");
    CHECK(fixture.observer.gaps.empty());
}

TEST_CASE("fields that nobody knows do not matter") {
    DockerFixture fixture;
    fixture.open();
    fixture.engine.stream_text(
        R"({"Future":{"a":[1,{"b":null}]},"Type":"container","Action":"die","Actor":{"ID":"x","More":1,)"
        R"("Attributes":{"exitCode":"3","name":"web","odd":{"a":1}}},"scope":"swarm","timeNano":1700000000000000001})");
    REQUIRE(fixture.wait_for_events(1));
    CHECK(fixture.observer.story() == "exited web 3");
    CHECK(to_decimal_seconds(fixture.observer.events[0].time) == "1700000000.000000001");
}

TEST_CASE("events need not arrive one a chunk") {
    DockerFixture fixture;
    fixture.open();
    std::string text;
    for (int i = 0; i < 20; ++i) {
        text += event_line({.action = "start", .id = "id" + std::to_string(i), .time = real_time_now()}, 41);
    }
    SECTION("all in one chunk, without line ends") {
        std::erase(text, '\n');
        fixture.engine.stream_text(text);
    }
    SECTION("each byte in a chunk of its own") {
        for (const char byte : text)
            fixture.engine.stream_text(std::string(1, byte));
    }
    SECTION("cut in odd places") {
        for (std::size_t at = 0; at < text.size(); at += 37)
            fixture.engine.stream_text(text.substr(at, 37));
    }
    REQUIRE(fixture.wait_for_events(20));
    for (std::size_t i = 0; i < 20; ++i)
        CHECK(fixture.observer.events[i].container->id == "id" + std::to_string(i));
}

TEST_CASE("large events are taken up to a limit; beyond it there is a gap, and the stream goes on") {
    DockerFixture fixture;
    fixture.open();
    const auto [size, gaps] = GENERATE(table<std::size_t, std::size_t>({{1U << 20U, 0}, {10U << 20U, 1}}));
    const auto big = fixture.engine.start(
        {.name = "big", .labels = {{"blob", std::string(size, 'x')}, {"small", "kept"}}});
    fixture.pass_a_marker();
    REQUIRE(fixture.observer.gaps.size() == gaps);
    if (gaps > 0) {
        CHECK_THAT(fixture.observer.gaps[0], ContainsSubstring("bytes"));
        CHECK(fixture.observer.story().empty());
    } else {
        REQUIRE(fixture.observer.story() == "started big");
        CHECK(fixture.observer.events[0].container->labels->truncated());
        CHECK(fixture.observer.events[0].container->labels->entries() ==
              std::vector<Labels::Entry>{{"small", "kept"}});
    }
    fixture.engine.remove(big, Tell::never);
    fixture.engine.start({.name = "next"});
    fixture.pass_a_marker();
    CHECK_THAT(fixture.observer.story(), Catch::Matchers::EndsWith("started next"));
}

TEST_CASE("an error that the engine puts into the stream ends it in the engine's words") {
    const auto [text, words] = GENERATE(table<std::string, std::string>(
        {{R"({"message":"ring is broken"})", "ring is broken"},
         {R"({"error":"unable to read events","cause":"x"})", "unable to read events"},
         {R"({"errorDetail":{"message":"disk \u001b[31mfull"},"error":"disk \u001b[31mfull"})",
          "disk \\x1b[31mfull"}}));
    DockerFixture fixture;
    fixture.open();
    fixture.engine.start({.name = "web"});
    fixture.engine.stream_text(text + "\n");
    const EngineError error = fixture.wait_for_end();
    CHECK(error.kind == Kind::engine);
    CHECK_THAT(error.message, ContainsSubstring(words));
    CHECK(fixture.observer.story() == "started web");
}

TEST_CASE("a stream that turns into nonsense is given up, after all that was told before") {
    DockerFixture fixture;
    fixture.open();
    fixture.engine.start({.name = "web"});
    REQUIRE(fixture.wait_for_events(1));
    SECTION("no JSON") {
        fixture.engine.stream_text("<html>\n");
    }
    SECTION("broken JSON") {
        fixture.engine.stream_text("{\"Type\":\"container\",}\n");
    }
    SECTION("a bare word") {
        fixture.engine.stream_text("nil\n");
    }
    SECTION("a chunk size that is none") {
        fixture.engine.stream_bytes("zz\r\n{}\r\n");
    }
    SECTION("an overflowing chunk size") {
        fixture.engine.stream_bytes("ffffffffffffffffff\r\n{}\r\n");
    }
    SECTION("a negative chunk size") {
        fixture.engine.stream_bytes("-5\r\nhello\r\n");
    }
    SECTION("an event outside of any chunk") {
        fixture.engine.stream_bytes(event_line({.action = "die", .id = "x", .time = real_time_now()}, 41));
    }
    SECTION("a chunk with no end") {
        fixture.engine.stream_bytes("4\r\n    junk\r\n");
    }
    const EngineError error = fixture.wait_for_end();
    CHECK(error.kind == Kind::protocol);
    CHECK(fixture.observer.story() == "started web");
    fixture.open(fixture.observer.events.back().time);
    fixture.pass_a_marker();
    CHECK(fixture.observer.story() == "started web");
}
