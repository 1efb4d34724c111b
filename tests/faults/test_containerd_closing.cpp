// A client can be closed, opened again and destroyed at any moment, from within any callback, whatever gRPC's
// threads are about.
#include <stdexcept>
#include <string>

#include "tests/faults/containerd_fixture.h"

using namespace shorewatch;
using namespace shorewatch::fakes;
using Call = RecordingObserver::Call;

TEST_CASE(
    "a containerd client may be closed or destroyed in any of its callbacks, and is silent from then on") {
    const auto call = GENERATE(Call::stream_open, Call::identity, Call::event, Call::stream_end);
    const auto destroy = GENERATE(false, true);
    CAPTURE(static_cast<int>(call), destroy);
    ContainerdFixture fixture;
    fixture.engine.put("default", {.id = "web"});
    std::size_t calls = 0;
    bool answered = false;
    fixture.observer.then = [&](Call now) {
        if (calls > 0) ++calls;
        if (now != call || calls > 0) return;
        calls = 1;
        // Requests under way are to be silent too.
        fixture.client->list([&](const auto&) { answered = true; });
        fixture.client->inspect("default/web", [&](const auto&) { answered = true; });
        destroy ? fixture.client.reset() : fixture.client->close();
    };
    fixture.client->lifecycle_events({}, fixture.observer);
    if (call == Call::event || call == Call::stream_end) {
        REQUIRE(fixture.drive_until([&] { return fixture.observer.opens == 1; }));
        // Several at once: those after the one that closes must not be told.
        for (const char* id : {"one", "two", "three"})
            fixture.engine.emit_start("default", id);
        if (call == Call::stream_end) fixture.engine.end_streams(2, "over");
    }
    REQUIRE(fixture.drive_until([&] { return calls > 0; }));
    if (call != Call::stream_end) CHECK(fixture.engine.all_gone());
    // What gRPC's threads have posted meanwhile has its turn.
    bool turned = false;
    fixture.loop.post([&] { turned = true; });
    REQUIRE(fixture.drive_until([&] { return turned; }));
    CHECK(calls == 1);
    CHECK_FALSE(answered);
    if (destroy) return;
    fixture.observer = {};
    fixture.open();
    fixture.engine.emit_start("default", "again");
    REQUIRE(fixture.wait_for_events(1));
}

TEST_CASE("a list or an inspection may close or destroy the client that answers it") {
    const auto destroy = GENERATE(false, true);
    ContainerdFixture fixture;
    fixture.engine.put("default", {.id = "web"});
    fixture.open();
    int answers = 0;
    const auto end = [&] {
        ++answers;
        destroy ? fixture.client.reset() : fixture.client->close();
    };
    SECTION("list") {
        fixture.client->list([&](const auto&) { end(); });
        fixture.client->list([&](const auto&) { end(); });
    }
    SECTION("inspect") {
        fixture.client->inspect("default/web", [&](const auto&) { end(); });
        fixture.client->inspect("default/web", [&](const auto&) { end(); });
    }
    REQUIRE(fixture.drive_until([&] { return answers > 0; }));
    CHECK(fixture.engine.all_gone());
    CHECK(answers == 1);
    CHECK(fixture.observer.ends.empty());
}

TEST_CASE("closing does not wait for an engine that hangs") {
    ContainerdFixture fixture;
    fixture.engine.put("default", {.id = "web"});
    fixture.open();
    fixture.engine.hang("Containers/Get");
    fixture.engine.hang("Tasks/List");
    fixture.client->list([](const auto&) { FAIL("answered"); });
    fixture.client->inspect("default/web", [](const auto&) { FAIL("answered"); });
    REQUIRE(fixture.engine.wait_for_calls("Containers/Get", 1));
    const auto before = Clock::now();
    fixture.client.reset();
    CHECK(Clock::now() - before < std::chrono::seconds(1));
    CHECK(fixture.engine.all_gone());
}

TEST_CASE("a storm of events that nobody waits for any more is no harm") {
    ContainerdFixture fixture;
    fixture.open();
    std::size_t calls = 0;
    fixture.observer.then = [&](Call) { ++calls; };
    for (int i = 0; i < 2000; ++i)
        fixture.engine.emit_start("default", "c" + std::to_string(i));
    REQUIRE(fixture.drive_until([&] { return calls > 10; }));
    fixture.client.reset();
    const std::size_t at_the_end = calls;
    CHECK(fixture.engine.all_gone());
    bool turned = false;
    fixture.loop.post([&] { turned = true; });
    REQUIRE(fixture.drive_until([&] { return turned; }));
    CHECK(calls == at_the_end);
}

TEST_CASE("each of a storm of events is told, in order") {
    ContainerdFixture fixture;
    fixture.open();
    for (int i = 0; i < 5000; ++i)
        fixture.engine.emit_start("default", "c" + std::to_string(i));
    REQUIRE(fixture.wait_for_events(5000));
    for (int i = 0; i < 5000; ++i)
        REQUIRE(fixture.observer.events[static_cast<std::size_t>(i)].container->name ==
                "c" + std::to_string(i));
}

TEST_CASE("a client has one stream at a time") {
    ContainerdFixture fixture;
    fixture.open();
    CHECK_THROWS_AS(fixture.client->lifecycle_events({}, fixture.observer), std::logic_error);
}

TEST_CASE("a client opened and closed again and again leaves nobody behind") {
    ContainerdFixture fixture;
    for (int i = 0; i < 50; ++i) {
        fixture.client->lifecycle_events({}, fixture.observer);
        if (i % 3 == 0) REQUIRE(fixture.drive_until([&] { return fixture.observer.opens > 0; }));
        if (i % 3 == 1) REQUIRE(fixture.drive_until([&] { return !fixture.observer.identities.empty(); }));
        fixture.observer.identities.clear();
        fixture.client->close();
        fixture.observer.opens = 0;
    }
    CHECK(fixture.observer.ends.empty());
    CHECK(fixture.engine.all_gone());
}
