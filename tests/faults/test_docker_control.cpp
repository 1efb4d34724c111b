// What is done to containers: that it is done, what a refusal means, and what must not wait for what.
#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "tests/faults/docker_fixture.h"

using namespace shorewatch;
using namespace shorewatch::fakes;
using namespace std::chrono_literals;
using Catch::Matchers::ContainsSubstring;
using Kind = EngineError::Kind;
using Answer = std::optional<std::optional<EngineError>>;  // empty until it has come

namespace {

// Something to be done to a container.
struct Verb {
    const char* name;
    void (*call)(EngineControl&, const std::string& id, EngineControl::Done);
};
const Verb to_pause{"pause", [](EngineControl& c, const std::string& id, auto done) { c.pause(id, done); }};
const Verb to_unpause{"unpause",
                      [](EngineControl& c, const std::string& id, auto done) { c.unpause(id, done); }};
const Verb to_stop{"stop", [](EngineControl& c, const std::string& id, auto done) { c.stop(id, 3s, done); }};
const Verb to_kill{"kill", [](EngineControl& c, const std::string& id, auto done) { c.kill(id, 9, done); }};

std::optional<EngineError> ask(DockerFixture& fixture, const Verb& verb, const std::string& id) {
    Answer answer;
    verb.call(fixture.client.control(), id, [&](auto error) { answer = std::move(error); });
    CHECK_FALSE(answer);
    REQUIRE(fixture.drive_until([&] { return answer.has_value(); }));
    return *answer;
}

Result<std::string> ask_json(DockerFixture& fixture, const std::string& id) {
    std::optional<Result<std::string>> answer;
    fixture.client.control().inspect_json(id, [&](auto result) { answer = std::move(result); });
    REQUIRE(fixture.drive_until([&] { return answer.has_value(); }));
    return *answer;
}

Kind kind_of(const std::optional<EngineError>& error) {
    REQUIRE(error);
    return error->kind;
}

}  // namespace

TEST_CASE("what is asked of dockerd is done, and told as if anybody else had done it") {
    DockerFixture fixture;
    fixture.open();
    const auto web = fixture.engine.start({.name = "web"});
    REQUIRE(fixture.wait_for_events(1));
    CHECK_FALSE(ask(fixture, to_pause, web));
    CHECK_FALSE(ask(fixture, to_unpause, web));
    CHECK_FALSE(ask(fixture, to_stop, web));
    const Seen seen = fixture.engine.seen();
    const SeenRequest* asked = seen.last(Request::control);
    REQUIRE(asked != nullptr);
    CHECK(asked->http.parameter("t") == "3");
    CHECK(asked->http.headers.count("content-type") == 0);
    REQUIRE(fixture.wait_for_events(4));
    CHECK(fixture.observer.story() == "started web, paused web, unpaused web, exited web 143");
    const auto job = fixture.engine.start({.name = "job"});
    CHECK_FALSE(ask(fixture, to_kill, job));
    CHECK(fixture.engine.seen().last(Request::control)->http.parameter("signal") == "9");
    REQUIRE(fixture.wait_for_events(6));
    CHECK(fixture.observer.story().ends_with("started job, exited job 137"));
}

TEST_CASE("each of dockerd's refusals has its kind, and its words") {
    DockerFixture fixture;
    fixture.open();
    const auto web = fixture.engine.start({.name = "web"});
    const auto dead = fixture.engine.start({.name = "dead"});
    fixture.engine.die(dead);
    CHECK(kind_of(ask(fixture, to_unpause, web)) == Kind::conflict);
    fixture.engine.pause(web);
    const auto twice = ask(fixture, to_pause, web);
    CHECK(kind_of(twice) == Kind::conflict);
    CHECK_THAT(twice->message,
               ContainsSubstring("cannot pause container " + web.substr(0, 12) + " at unix://") &&
                   ContainsSubstring("already paused"));
    CHECK(kind_of(ask(fixture, to_unpause, dead)) == Kind::conflict);
    for (const Verb& verb : {to_pause, to_stop, to_kill})
        CHECK(kind_of(ask(fixture, verb, dead)) == Kind::not_alive);
    for (const Verb& verb : {to_pause, to_unpause, to_stop, to_kill})
        CHECK(kind_of(ask(fixture, verb, std::string(64, 'a'))) == Kind::not_found);
    fixture.engine.when(Request::control, {.status = 500, .message = "the disk is full"});
    const auto refused = ask(fixture, to_pause, web);
    CHECK(kind_of(refused) == Kind::engine);
    CHECK_THAT(refused->message, ContainsSubstring("HTTP 500: the disk is full"));
    fixture.engine.when(Request::control, {.status = 409, .message = "not now"});
    CHECK(kind_of(ask(fixture, to_stop, web)) == Kind::conflict);
}

TEST_CASE("no signal and no time that make no sense are asked for") {
    DockerFixture fixture;
    fixture.open();
    const auto web = fixture.engine.start({.name = "web"});
    for (const int signal : {0, -1, 65, 2'000'000'000}) {
        Answer answer;
        fixture.client.control().kill(web, signal, [&](auto error) { answer = std::move(error); });
        REQUIRE(fixture.drive_until([&] { return answer.has_value(); }));
        CHECK(kind_of(*answer) == Kind::invalid);
    }
    for (const auto timeout : {-1s, 86'401s, std::chrono::seconds::max()}) {
        Answer answer;
        fixture.client.control().stop(web, timeout, [&](auto error) { answer = std::move(error); });
        REQUIRE(fixture.drive_until([&] { return answer.has_value(); }));
        CHECK(kind_of(*answer) == Kind::invalid);
    }
    CHECK(fixture.engine.seen().count(Request::control) == 0);
}

TEST_CASE("calls that hang hold up neither lists, nor inspections, nor what is done to other containers") {
    DockerFixture fixture;
    fixture.open();
    const auto stuck = fixture.engine.start({.name = "stuck"});
    const auto web = fixture.engine.start({.name = "web"});
    fixture.engine.when(Request::control, {.container = stuck, .never_answer = true});
    for (std::size_t i = 0; i + 1 < EngineControl::most_at_a_time; ++i)
        to_stop.call(fixture.client.control(), stuck, [](const auto&) { FAIL("it answered"); });
    REQUIRE(fixture.drive_until([&] {
        return fixture.engine.has_seen([](const Seen& seen) {
            return seen.count(Request::control) == EngineControl::most_at_a_time - 1;
        });
    }));
    CHECK(fixture.list());
    CHECK(fixture.inspect(stuck));
    CHECK(ask_json(fixture, stuck));
    CHECK_FALSE(ask(fixture, to_pause, web));
    fixture.pass_a_marker();
}

TEST_CASE("a stop is waited for as long as the container is given, and a while longer") {
    docker::DockerOptions options = hasty();
    options.control_deadline = 50ms;
    options.stop_margin = 50ms;
    DockerFixture fixture({}, options);
    fixture.open();
    const auto web = fixture.engine.start({.name = "web"});
    fixture.engine.when(Request::control, {.never_answer = true});
    const auto killing = ask(fixture, to_kill, web);
    CHECK(kind_of(killing) == Kind::timeout);
    CHECK_THAT(killing->message, ContainsSubstring("no answer within 0.05 s; does the engine hang?"));
    Answer answer;
    fixture.client.control().stop(web, 1s, [&](auto error) { answer = std::move(error); });
    REQUIRE(fixture.drive_until([&] { return answer.has_value(); }));
    CHECK(kind_of(*answer) == Kind::timeout);
    CHECK_THAT((*answer)->message, ContainsSubstring("no answer within 1.05 s"));
}

TEST_CASE("a call whose connection breaks fails, and is not sent again") {
    DockerFixture fixture;
    fixture.open();
    const auto web = fixture.engine.start({.name = "web"});
    CHECK_FALSE(ask(fixture, to_pause, web));
    fixture.engine.when(Request::control, {.delivery = {.close_after = 0}});
    CHECK(kind_of(ask(fixture, to_unpause, web)) == Kind::protocol);
    CHECK(fixture.engine.seen().count(Request::control) == 2);
    fixture.pass_a_marker();
}

TEST_CASE("an inspection is the engine's own text, made fit for a bus") {
    DockerFixture fixture;
    fixture.open();
    const auto web = fixture.engine.start({.name = "web"});
    std::string body;
    fixture.engine.when(Request::inspect, {.edit = [&](std::string text) { return body = std::move(text); }});
    const auto text = ask_json(fixture, web);
    REQUIRE(text);
    CHECK(text.value() == body);
    SECTION("of bytes that are no UTF-8 nothing is left") {
        fixture.engine.when(Request::inspect, {.edit = [](std::string json) {
                                json.insert(1, "\"x\":\"\xff\",");
                                return json;
                            }});
        CHECK_THAT(ask_json(fixture, web).value(), ContainsSubstring("\"x\":\"\uFFFD\""));
    }
    SECTION("what is no JSON is none of it") {
        fixture.engine.when(Request::inspect, {.body = "<html>"});
        CHECK(ask_json(fixture, web).error().kind == Kind::protocol);
    }
    SECTION("nor is what is about another container") {
        fixture.engine.when(Request::inspect,
                            {.body = R"({"Id":"other","Name":"/x","State":{"Running":false}})"});
        CHECK(ask_json(fixture, web).error().kind == Kind::not_found);
    }
    SECTION("what is too large is an error") {
        const std::string large(EngineControl::longest_inspection, 'x');
        fixture.engine.when(Request::inspect, {.edit = [&](std::string json) {
                                json.insert(1, "\"x\":\"" + large + "\",");
                                return json;
                            }});
        const auto result = ask_json(fixture, web);
        REQUIRE_FALSE(result);
        CHECK_THAT(result.error().message, ContainsSubstring("larger than 16 MiB"));
    }
    SECTION("there is none of what is not there") {
        CHECK(ask_json(fixture, std::string(64, 'a')).error().kind == Kind::not_found);
    }
}

TEST_CASE("without a stream nothing is done, and that is told") {
    DockerFixture fixture;
    for (const Verb& verb : {to_pause, to_unpause, to_stop, to_kill}) {
        const auto error = ask(fixture, verb, "web");
        CHECK(kind_of(error) == Kind::unreachable);
        CHECK_THAT(error->message,
                   ContainsSubstring(std::string("cannot ") + verb.name + " container web at"));
    }
    CHECK(ask_json(fixture, "web").error().kind == Kind::unreachable);
}

TEST_CASE("a client is closed or destroyed with calls under way, which are silent from then on") {
    LeakCheck leaks;
    EventLoop loop;
    FakeDocker engine;
    engine.wakes(loop);
    RecordingObserver observer;
    auto client = std::make_unique<docker::DockerClient>(loop, engine.endpoint());
    client->lifecycle_events({}, observer);
    REQUIRE(drive(loop, [&] { return engine.has_seen([](const Seen& seen) { return seen.streams == 1; }); }));
    REQUIRE(drive(loop, [&] { return observer.opens == 1; }));
    const auto web = engine.start({.name = "web"}, Tell::never);
    Gate gate;
    engine.when(Request::control, {.hold_answer = gate});
    const auto silent = [](const auto&) { FAIL("it answered"); };
    const auto within = GENERATE(false, true);
    bool ended = false;
    const auto end = [&] {
        ended = true;
        client.reset();
    };
    for (int i = 0; i < 10; ++i)
        client->control().stop(web, 1s, silent);
    REQUIRE(drive(loop, [&] { return gate.arrivals() == 10; }));
    if (within) {
        client->control().inspect_json(web, [&](const auto&) { end(); });
        REQUIRE(drive(loop, [&] { return ended; }));
    } else {
        client->close();
    }
    gate.open();
    REQUIRE(
        drive(loop, [&] { return engine.has_seen([](const Seen& seen) { return seen.connections == 0; }); }));
}
