// Listing and inspecting: what comes back, how many at once, and what must not wait for what.
#include <algorithm>
#include <string>
#include <vector>

#include "tests/faults/docker_fixture.h"

using namespace shorewatch;
using namespace shorewatch::fakes;
using Catch::Matchers::ContainsSubstring;
using Kind = EngineError::Kind;

namespace {

std::vector<std::string> ids_of(const Result<std::vector<ContainerPtr>>& list) {
    std::vector<std::string> ids;
    for (const ContainerPtr& container : list.value())
        ids.push_back(container->id);
    std::ranges::sort(ids);
    return ids;
}

// Asks for each, and counts the good and the bad answers.
struct ManyInspects {
    std::size_t good = 0;
    std::size_t bad = 0;

    ManyInspects(DockerFixture& fixture, const std::vector<std::string>& ids) {
        for (const std::string& id : ids) {
            fixture.client.inspect(id, [this](const Result<Inspection>& result) { ++(result ? good : bad); });
        }
    }
};

std::vector<std::string> start_many(FakeDocker& engine, std::size_t count) {
    std::vector<std::string> ids;
    for (std::size_t i = 0; i < count; ++i)
        ids.push_back(engine.start({}, Tell::never));
    return ids;
}

}  // namespace

TEST_CASE("the list has all that is alive, frozen or not, and nothing dead") {
    DockerFixture fixture;
    FakeDocker& engine = fixture.engine;
    const auto running =
        engine.start({.name = "running", .labels = {{"com.docker.compose.project", "shop"}}});
    const auto paused = engine.start({.name = "paused"});
    engine.pause(paused);
    engine.create({.name = "created"});
    engine.die(engine.start({.name = "dead"}));
    fixture.open();
    const auto list = fixture.list();
    REQUIRE(list);
    auto expected = std::vector{running, paused};
    std::ranges::sort(expected);
    CHECK(ids_of(list) == expected);
    for (const ContainerPtr& container : list.value()) {
        CHECK(container->paused == (container->id == paused));
        CHECK(container->name == (container->id == paused ? "paused" : "running"));
        CHECK(container->project == (container->id == paused ? "" : "shop"));
    }
}

TEST_CASE("an inspection tells the living from the dead") {
    DockerFixture fixture;
    FakeDocker& engine = fixture.engine;
    fixture.open();
    const auto web =
        engine.start({.name = "web", .labels = {{"a", "b"}}, .image = "nginx:1", .privileged = true});
    {
        const Inspection alive = fixture.inspect(web).value();
        CHECK(alive.alive);
        CHECK(alive.container->pid == engine.pid(web));
        CHECK(alive.container->started == engine.container(web).runs.back().started);
        CHECK(alive.container->name == "web");
        CHECK(alive.container->image == "nginx:1");
        CHECK(alive.container->privileged);
        CHECK(*alive.container->labels->find("a") == "b");
        CHECK_FALSE(alive.exit_code);
        CHECK_FALSE(alive.finished);
    }
    engine.pause(web);
    CHECK(fixture.inspect(web).value().container->paused);
    engine.unpause(web);
    engine.oom(web);
    engine.die(web, 137);
    {
        const Inspection dead = fixture.inspect(web).value();
        CHECK_FALSE(dead.alive);
        CHECK(dead.container->pid == 0);
        CHECK(dead.exit_code == 137);
        CHECK(dead.finished == engine.container(web).runs.back().finished);
        CHECK(dead.oom_killed);
    }
    engine.start(web);
    {
        const Inspection again = fixture.inspect(web).value();
        CHECK(again.alive);
        CHECK(again.container->pid == engine.pid(web));
        CHECK_FALSE(again.exit_code);
        CHECK_FALSE(again.oom_killed);
    }
}

TEST_CASE("a container between two runs of its restart policy is not alive") {
    DockerFixture fixture;
    fixture.open();
    const auto web = fixture.engine.start({.name = "web"});
    fixture.engine.die_to_restart(web, 3);
    const Inspection between = fixture.inspect(web).value();
    CHECK_FALSE(between.alive);
    CHECK(between.container->pid == 0);
    CHECK(between.exit_code == 3);
    const auto never_ran = fixture.engine.create({.name = "new"});
    const Inspection created = fixture.inspect(never_ran).value();
    CHECK_FALSE(created.alive);
    CHECK_FALSE(created.exit_code);
}

TEST_CASE("a container that is gone is not found, even if another has taken its id for a name") {
    DockerFixture fixture;
    fixture.open();
    const auto web = fixture.engine.start({.name = "web"});
    fixture.engine.remove(web);
    const auto result = fixture.inspect(web);
    REQUIRE_FALSE(result);
    CHECK(result.error().kind == Kind::not_found);
    CHECK_THAT(result.error().message,
               ContainsSubstring(web.substr(0, 12)) && ContainsSubstring("No such container"));
    fixture.engine.start({.name = web});
    const auto impostor = fixture.inspect(web);
    REQUIRE_FALSE(impostor);
    CHECK(impostor.error().kind == Kind::not_found);
}

TEST_CASE("a refusal is told in the engine's words") {
    DockerFixture fixture;
    fixture.open();
    const auto web = fixture.engine.start({.name = "web"});
    const auto status = GENERATE(301, 400, 409, 500, 503);
    CAPTURE(status);
    fixture.engine.when(Request::inspect, {.status = status, .message = "can't\nnow"});
    fixture.engine.when(Request::list, {.status = status, .message = "can't\nnow"});
    const auto words = ContainsSubstring("HTTP " + std::to_string(status) + ": can't\\nnow");
    const auto inspection = fixture.inspect(web);
    REQUIRE_FALSE(inspection);
    CHECK(inspection.error().kind == Kind::engine);
    CHECK_THAT(inspection.error().message, words);
    const auto list = fixture.list();
    REQUIRE_FALSE(list);
    CHECK(list.error().kind == Kind::engine);
    CHECK_THAT(list.error().message, words);
    fixture.engine.behave();
    CHECK(fixture.inspect(web));
    fixture.pass_a_marker();
}

TEST_CASE("eight inspects go at once, and no more") {
    DockerFixture fixture;
    fixture.open();
    const auto ids = start_many(fixture.engine, 40);
    Gate gate;
    fixture.engine.when(Request::inspect, {.hold = gate});
    const ManyInspects asked(fixture, ids);
    REQUIRE(fixture.drive_until([&] { return gate.arrivals() >= 8; }));
    fixture.pass_a_marker();
    CHECK(gate.arrivals() == 8);
    gate.open();
    REQUIRE(fixture.drive_until([&] { return asked.good + asked.bad == 40; }));
    CHECK(asked.good == 40);
    CHECK(fixture.engine.seen().inspects_at_most == 8);
}

TEST_CASE("events go on while every inspect hangs") {
    DockerFixture fixture;
    fixture.open();
    const auto ids = start_many(fixture.engine, 20);
    fixture.engine.when(Request::inspect, {.never_answer = true});
    const ManyInspects asked(fixture, ids);
    REQUIRE(fixture.drive_until(
        [&] { return fixture.engine.has_seen([](const Seen& seen) { return seen.inspects == 8; }); }));
    for (int i = 0; i < 20; ++i)
        fixture.pass_a_marker();
    CHECK(asked.good + asked.bad == 0);
}

TEST_CASE("seven hanging inspects leave a way for all others") {
    DockerFixture fixture;
    fixture.open();
    const auto ids = start_many(fixture.engine, 30);
    for (std::size_t i = 0; i < 7; ++i) {
        fixture.engine.when(Request::inspect, {.container = ids[i], .never_answer = true});
    }
    const ManyInspects asked(fixture, ids);
    REQUIRE(fixture.drive_until([&] { return asked.good == 23; }));
    CHECK(fixture.list());
    CHECK(asked.bad == 0);
}

TEST_CASE("inspects and lists go on while the event stream says nothing") {
    DockerFixture fixture;
    Gate silence;
    fixture.engine.when(Request::events, {.hold_answer = silence});
    fixture.open();
    const auto web = fixture.engine.start({.name = "web"});
    CHECK(fixture.inspect(web).value().alive);
    CHECK(fixture.list().value().size() == 1);
    CHECK(fixture.observer.events.empty());
    silence.open();
    REQUIRE(fixture.wait_for_events(1));
}

TEST_CASE("a list that hangs holds up neither inspects nor events") {
    DockerFixture fixture;
    fixture.open();
    Gate gate;
    fixture.engine.when(Request::list, {.hold = gate});
    bool listed = false;
    fixture.client.list([&](const auto& result) { listed = bool(result); });
    const auto ids = start_many(fixture.engine, 20);
    const ManyInspects asked(fixture, ids);
    REQUIRE(fixture.drive_until([&] { return asked.good == 20; }));
    fixture.pass_a_marker();
    CHECK_FALSE(listed);
    gate.open();
    CHECK(fixture.drive_until([&] { return listed; }));
}

TEST_CASE("an answer that doesn't come is given up, and the next in line are asked") {
    DockerFixture fixture({}, hasty());
    fixture.open();
    const auto ids = start_many(fixture.engine, 24);
    for (std::size_t i = 0; i < 16; ++i) {
        fixture.engine.when(Request::inspect, {.container = ids[i], .never_answer = true});
    }
    std::vector<EngineError> errors;
    std::size_t good = 0;
    for (const std::string& id : ids) {
        fixture.client.inspect(id, [&](const Result<Inspection>& result) {
            if (result) {
                ++good;
            } else {
                errors.push_back(result.error());
            }
        });
    }
    REQUIRE(fixture.drive_until([&] { return good + errors.size() == 24; }));
    CHECK(good == 8);
    for (const EngineError& error : errors) {
        CHECK(error.kind == Kind::timeout);
        CHECK_THAT(error.message, ContainsSubstring("inspect container") && ContainsSubstring("0.1 s"));
    }
    fixture.engine.when(Request::list, {.never_answer = true});
    const auto list = fixture.list();
    REQUIRE_FALSE(list);
    CHECK(list.error().kind == Kind::timeout);
    fixture.pass_a_marker();
}

TEST_CASE("connections are used again, and one that the engine has closed meanwhile is no error") {
    DockerFixture fixture;
    fixture.open();
    const auto web = fixture.engine.start({.name = "web"});
    for (int i = 0; i < 50; ++i)
        REQUIRE(fixture.inspect(web));
    // The stream's, and one for all the others.
    CHECK(fixture.engine.seen().connections <= 3);
    fixture.engine.when(Request::inspect, {.delivery = {.then_close = true}});
    for (int i = 0; i < 20; ++i)
        REQUIRE(fixture.inspect(web));
    fixture.engine.when(Request::list, {.framing = Framing::until_close});
    for (int i = 0; i < 20; ++i)
        REQUIRE(fixture.list());
    fixture.pass_a_marker();
}

TEST_CASE("requests under way when the stream ends are not answered any more") {
    DockerFixture fixture;
    fixture.open();
    Gate gate;
    fixture.engine.when(Request::inspect, {.hold = gate});
    const auto ids = start_many(fixture.engine, 20);
    const ManyInspects asked(fixture, ids);
    REQUIRE(fixture.drive_until([&] { return gate.arrivals() == 8; }));
    fixture.engine.cut_streams();
    static_cast<void>(fixture.wait_for_end());
    gate.open();
    fixture.engine.behave();
    fixture.open();
    CHECK(fixture.list().value().size() == 20);
    CHECK(asked.good + asked.bad == 0);
}

TEST_CASE("a container that dies between the list and its inspection is found dead") {
    DockerFixture fixture;
    fixture.open();
    const auto web = fixture.engine.start({.name = "web"});
    fixture.engine.when(Request::list, {.after = [&] { fixture.engine.die(web, 6); }});
    CHECK(fixture.list().value().size() == 1);
    const Inspection inspection = fixture.inspect(web).value();
    CHECK_FALSE(inspection.alive);
    CHECK(inspection.exit_code == 6);
    REQUIRE(fixture.wait_for_events(2));
}
