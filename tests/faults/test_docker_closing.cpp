// A client can be closed, opened again and destroyed at any moment, from within any callback.
#include <memory>
#include <stdexcept>
#include <string>

#include "tests/faults/docker_fixture.h"

using namespace shorewatch;
using namespace shorewatch::fakes;
using Call = RecordingObserver::Call;

namespace {

// Like the fixture, but the client can go.
struct Closing {
    LeakCheck leaks;
    EventLoop loop;
    FakeDocker engine;
    RecordingObserver observer;
    std::unique_ptr<docker::DockerClient> client =
        std::make_unique<docker::DockerClient>(loop, engine.endpoint());

    Closing() { engine.wakes(loop); }

    void open() {
        client->lifecycle_events({}, observer);
        REQUIRE(
            drive(loop, [&] { return engine.has_seen([](const Seen& seen) { return seen.streams == 1; }); }));
        REQUIRE(drive(loop, [&] { return observer.opens == 1; }));
    }
    [[nodiscard]] bool all_connections_close() {
        return drive(loop,
                     [&] { return engine.has_seen([](const Seen& seen) { return seen.connections == 0; }); });
    }
};

// Brings about the call that is wanted.
void provoke(Closing& closing, Call call) {
    if (call == Call::event) {
        // Several at once: those after the one that closes must not be told.
        std::string text;
        for (const char* id : {"one", "two", "three"}) {
            text += event_line({.action = "start", .id = id, .time = real_time_now()}, 41);
        }
        closing.engine.stream_text(text);
    }
    if (call == Call::gap)
        closing.engine.start({.name = "big", .labels = {{"l", std::string(5U << 20U, 'x')}}});
    if (call == Call::stream_end) closing.engine.cut_streams();
}

}  // namespace

TEST_CASE("a client may be closed or destroyed in any of its callbacks, and is silent from then on") {
    const auto call = GENERATE(Call::stream_open, Call::identity, Call::event, Call::gap, Call::stream_end);
    const auto destroy = GENERATE(false, true);
    CAPTURE(static_cast<int>(call), destroy);
    Closing closing;
    std::size_t calls = 0;
    closing.observer.then = [&](Call now) {
        if (calls > 0) ++calls;
        if (now != call || calls > 0) return;
        calls = 1;
        destroy ? closing.client.reset() : closing.client->close();
    };
    closing.client->lifecycle_events({}, closing.observer);
    if (call != Call::stream_open && call != Call::identity) {
        REQUIRE(drive(closing.loop, [&] {
            return closing.engine.has_seen([](const Seen& seen) { return seen.streams == 1; });
        }));
        provoke(closing, call);
    }
    REQUIRE(drive(closing.loop, [&] { return calls > 0; }));
    REQUIRE(closing.all_connections_close());
    CHECK(calls == 1);
    if (destroy) return;
    closing.observer = {};
    closing.open();
}

TEST_CASE("a client may be opened again in the call that tells of its end") {
    Closing closing;
    closing.open();
    closing.observer.then = [&](Call call) {
        if (call == Call::stream_end) closing.client->lifecycle_events({}, closing.observer);
    };
    closing.engine.cut_streams();
    REQUIRE(drive(closing.loop, [&] { return closing.observer.opens == 2; }));
    closing.engine.kill_engine();
    closing.engine.come_back();
    REQUIRE(drive(closing.loop, [&] { return closing.observer.opens == 3; }));
    CHECK(closing.observer.ends.size() == 2);
    closing.observer.then = {};
}

TEST_CASE("a client may be closed or destroyed in the answer to a request") {
    const auto destroy = GENERATE(false, true);
    Closing closing;
    closing.open();
    const auto web = closing.engine.start({.name = "web"});
    std::size_t answers = 0;
    const auto end = [&](const auto& result) {
        CHECK(result);
        ++answers;
        destroy ? closing.client.reset() : closing.client->close();
    };
    SECTION("of a list") {
        closing.client->list(end);
    }
    SECTION("of an inspection") {
        closing.client->inspect(web, end);
    }
    SECTION("of many") {
        for (int i = 0; i < 30; ++i)
            closing.client->inspect(web, end);
    }
    REQUIRE(drive(closing.loop, [&] { return answers > 0; }));
    REQUIRE(closing.all_connections_close());
    CHECK(answers == 1);
}

TEST_CASE("a client may be asked again in each answer") {
    Closing closing;
    closing.open();
    const auto web = closing.engine.start({.name = "web"});
    std::size_t answers = 0;
    std::function<void(const Result<Inspection>&)> again = [&](const Result<Inspection>& result) {
        CHECK(result);
        if (++answers < 100) closing.client->inspect(web, again);
    };
    closing.client->inspect(web, again);
    REQUIRE(drive(closing.loop, [&] { return answers == 100; }));
}

TEST_CASE("no callback comes from within the call that asks") {
    Closing closing;
    bool within = true;
    closing.observer.then = [&](Call) { CHECK_FALSE(within); };
    const auto outside = [&](const auto&) { CHECK_FALSE(within); };
    SECTION("from a client that can't connect") {
        closing.engine.shut_down();
        closing.client->lifecycle_events({}, closing.observer);
    }
    SECTION("from a client that is closed") {}
    SECTION("from a client that is open") {
        within = false;
        closing.open();
        within = true;
    }
    std::size_t answers = 0;
    closing.client->list([&](const auto& result) {
        outside(result);
        ++answers;
    });
    closing.client->inspect("x", [&](const auto& result) {
        outside(result);
        ++answers;
    });
    within = false;
    REQUIRE(drive(closing.loop, [&] { return answers == 2; }));
}

TEST_CASE("closing ends whatever is under way, without a word") {
    const auto destroy = GENERATE(false, true);
    Closing closing;
    Gate gate;
    const auto silent = [](const auto&) { FAIL("a closed client has answered"); };
    SECTION("before anything is sent") {
        closing.client->lifecycle_events({}, closing.observer);
    }
    SECTION("while the engine is asked what it speaks") {
        closing.engine.when(Request::ping, {.hold = gate});
        closing.client->lifecycle_events({}, closing.observer);
        REQUIRE(drive(closing.loop, [&] { return gate.arrivals() == 1; }));
    }
    SECTION("while the stream is opened") {
        closing.engine.when(Request::events, {.hold_request = gate});
        closing.client->lifecycle_events({}, closing.observer);
        REQUIRE(drive(closing.loop, [&] { return gate.arrivals() == 1; }));
    }
    SECTION("with requests asked and in line") {
        closing.engine.when(Request::inspect, {.hold_answer = gate});
        closing.engine.when(Request::list, {.hold_answer = gate});
        closing.open();
        const auto web = closing.engine.start({.name = "web"}, Tell::never);
        closing.client->list(silent);
        for (int i = 0; i < 30; ++i)
            closing.client->inspect(web, silent);
        REQUIRE(drive(closing.loop, [&] { return gate.arrivals() == 8; }));
    }
    SECTION("with answers half received") {
        closing.open();
        const auto web = closing.engine.start({.name = "web"}, Tell::never);
        closing.engine.when(Request::inspect, {.framing = Framing::content_length_too_large});
        closing.client->inspect(web, silent);
        REQUIRE(drive(closing.loop, [&] {
            return closing.engine.has_seen(
                [](const Seen& seen) { return seen.count(Request::inspect) == 1; });
        }));
    }
    SECTION("with requests that were refused") {
        closing.client->list(silent);
        closing.client->inspect("x", silent);
    }
    closing.observer.then = [](Call) { FAIL("a closed client has called back"); };
    destroy ? closing.client.reset() : closing.client->close();
    gate.open();
    REQUIRE(closing.all_connections_close());
    if (destroy) return;
    // Not a word of the old stream in the new one either.
    closing.engine.behave();
    closing.observer = {};
    closing.open();
    closing.client->close();
    closing.client->close();
}

TEST_CASE("a second stream of an open client is a mistake that changes nothing") {
    Closing closing;
    closing.open();
    RecordingObserver other;
    CHECK_THROWS_AS(closing.client->lifecycle_events({}, other), std::logic_error);
    closing.engine.start({.name = "web"});
    REQUIRE(drive(closing.loop, [&] { return closing.observer.events.size() == 1; }));
    CHECK(other.calls.empty());
}

TEST_CASE("clients come and go a hundred times and leave nothing behind") {
    Closing closing;
    const auto web = closing.engine.start({.name = "web"});
    for (int i = 0; i < 100; ++i) {
        closing.observer = {};
        closing.client = std::make_unique<docker::DockerClient>(closing.loop, closing.engine.endpoint());
        closing.open();
        closing.client->inspect(web, [](const auto&) {});
        if (i % 3 == 0) closing.client->close();
        closing.client.reset();
        REQUIRE(closing.all_connections_close());
    }
}
