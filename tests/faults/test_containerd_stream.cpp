// What the client does with containerd's event stream, and without it.
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>

#include "containerd.pb.h"
#include <unistd.h>

#include "tests/faults/containerd_fixture.h"

using namespace shorewatch;
using namespace shorewatch::fakes;
using containerd::ContainerdOptions;
using Kind = EngineError::Kind;
using std::chrono::milliseconds;

namespace {

bool contains(const std::string& text, std::string_view part) {
    return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("the stream is open when it has brought the client's own event, and not before") {
    ContainerdFixture fixture;
    // The first subscription stands late, as containerd's may: what is published before is not told.
    GrpcExchangePtr late;
    fixture.engine.replace("Events/Subscribe", [&](const GrpcExchangePtr& exchange) {
        fixture.loop.post([&late, exchange] { late = exchange; });
    });
    fixture.client->lifecycle_events({}, fixture.observer);
    REQUIRE(
        fixture.drive_until([&] { return late != nullptr && fixture.engine.calls("Events/Publish") >= 2; }));
    CHECK(fixture.observer.opens == 0);
    fixture.engine.subscribe(late);
    REQUIRE(fixture.drive_until([&] { return fixture.observer.opens == 1; }));
    CHECK(fixture.observer.events.empty());
}

TEST_CASE("what containerd says of itself is told, and its process by the socket") {
    ContainerdFixture fixture;
    fixture.open();
    const auto& told = fixture.observer.identities;
    REQUIRE(fixture.drive_until([&] {
        return !told.empty() && !told.back().id.empty() && !told.back().version.empty() &&
               told.back().pid != 0;
    }));
    CHECK(told.back().id == "b66b2ab1-a2f7-4cb5-9d2c-3bb2ab3b2b3b");
    CHECK(told.back().version == "1.6.99");
    CHECK(told.back().pid == static_cast<std::uint32_t>(::getpid()));
}

TEST_CASE("a containerd that won't say who it is is watched all the same") {
    ContainerdFixture fixture;
    fixture.engine.refuse("Introspection/Server", 12);
    fixture.engine.replace("Version/Version", [](const GrpcExchangePtr& e) { e->answer("\xff\xff\xff"); });
    fixture.open();
    fixture.engine.emit_start("default", "web");
    REQUIRE(fixture.wait_for_events(1));
    CHECK(fixture.observer.identities.back().id.empty());
}

TEST_CASE("events are told in order, those of exec'd processes and of namespaces left out are not") {
    ContainerdFixture fixture;
    fixture.open();
    fixture.engine.emit_start("default", "web");
    fixture.engine.emit_exit("default", "web", 0, "exec-1");
    fixture.engine.emit_start("moby", "hidden");
    fixture.engine.emit_start("k8s.io", "hidden");
    fixture.engine.emit("default", "/tasks/exec-started", "");
    fixture.engine.emit_exit("default", "web", 7);
    fixture.engine.emit_start("other", "last");
    REQUIRE(fixture.wait_for_events(3));
    CHECK(fixture.observer.story() == "started web, exited web 7, started last");
    CHECK(fixture.observer.events[0].container->id == "default/web");
    CHECK(fixture.observer.events[2].container->id == "other/last");
    CHECK(fixture.observer.events[2].container->name_space == "other");
}

TEST_CASE("only what is followed is asked for, of the namespaces that are watched") {
    const auto filters = [](std::vector<std::string> namespaces) {
        ContainerdOptions options;
        options.namespaces = std::move(namespaces);
        ContainerdFixture fixture(options);
        fixture.open();
        return fixture.engine.filters();
    };
    const std::string followed =
        R"(topic~="^/(tasks/(start|exit|paused|resumed|oom)|containers/(update|delete))$")";
    const auto all = filters({});
    REQUIRE(all.size() == 2);
    CHECK(all[0].starts_with("topic==\"/shorewatch/"));
    CHECK(all[1] == R"(namespace!="moby",namespace!="k8s.io",)" + followed);
    const auto some = filters({"a", "moby"});
    REQUIRE(some.size() == 3);
    CHECK(some[1] == R"(namespace=="a",)" + followed);
    CHECK(some[2] == R"(namespace=="moby",)" + followed);
}

TEST_CASE("events that make no sense are passed over, and the stream goes on") {
    ContainerdFixture fixture;
    fixture.open();
    fixture.engine.emit("default", "/tasks/start", "\xff\xff\xff");              // no message
    fixture.engine.emit("default", "/tasks/start", "");                          // no id
    fixture.engine.emit_start("default", "../../etc");                           // no id of containerd's
    fixture.engine.emit_start("default", "a/b");                                 // nor this
    fixture.engine.emit_start("de/fault", "web");                                // no namespace
    fixture.engine.emit_start("", "web");                                        // none at all
    fixture.engine.emit_start("default", std::string(1'000'000, 'x'));           // far too long
    fixture.engine.emit("default", "/tasks/paused", "\x0a\x03web", RealTime{});  // no time
    fixture.engine.emit("default", "", "\x0a\x03web");                           // no topic
    fixture.engine.emit_start("default", "good");
    REQUIRE(fixture.wait_for_events(1));
    CHECK(fixture.observer.story() == "started good");
    CHECK(fixture.observer.ends.empty());
}

TEST_CASE("a stream of what are no events ends, and says so") {
    ContainerdFixture fixture;
    fixture.open();
    fixture.engine.stream_bytes("\xff\xff\xff no protobuf");
    const EngineError error = fixture.wait_for_end();
    CHECK(error.kind == Kind::protocol);
    CHECK(error.message == "cannot follow the engine's events at " + fixture.engine.endpoint().url() +
                               ": there is a message in it that is no event");
}

TEST_CASE("a message that is too large ends the stream, and memory stays bounded") {
    ContainerdFixture fixture;
    fixture.open();
    fixture.engine.stream_bytes(std::string(40U << 20U, '\0'));
    const EngineError error = fixture.wait_for_end();
    CHECK(error.kind == Kind::protocol);
    CHECK(contains(error.message, "RESOURCE_EXHAUSTED"));
}

TEST_CASE("however the stream ends, the end is told once, and the client can be opened again") {
    ContainerdFixture fixture;
    fixture.open();
    SECTION("in good order") {
        fixture.engine.end_streams(0, "");
        CHECK(contains(fixture.wait_for_end().message, "the engine has ended the stream"));
    }
    SECTION("with an error") {
        fixture.engine.end_streams(2, "subscription error: \x1b[31mbad");
        const EngineError error = fixture.wait_for_end();
        CHECK(error.kind == Kind::engine);
        CHECK(contains(error.message, "UNKNOWN: subscription error: \\x1b[31mbad"));
    }
    SECTION("as if there were no such thing") {
        fixture.engine.end_streams(5, "gone");
        CHECK(fixture.wait_for_end().kind == Kind::engine);
    }
    fixture.open();
    fixture.engine.emit_start("default", "web");
    REQUIRE(fixture.wait_for_events(1));
}

TEST_CASE("the end of the engine is the end of the stream") {
    ContainerdFixture fixture;
    fixture.open();
    fixture.engine.stop();
    const EngineError error = fixture.wait_for_end();
    CHECK(error.kind == Kind::unreachable);
    CHECK(contains(error.message, "cannot follow the engine's events at unix://"));
    // And there is nobody to come back to.
    const EngineError again = fixture.open_in_vain();
    CHECK(again.kind == Kind::unreachable);
    CHECK(contains(again.message, "is the engine running?"));
}

TEST_CASE("what stands in the place of a socket is told") {
    EventLoop loop;
    RecordingObserver observer;
    const std::string folder = "/tmp/shorewatch-place-" + std::to_string(::getpid());
    std::filesystem::create_directory(folder);
    const auto error_at = [&](const std::string& place) {
        containerd::ContainerdClient client(loop, Endpoint::parse(place));
        observer = {};
        client.lifecycle_events({}, observer);
        CHECK(observer.ends.empty());
        REQUIRE(drive(loop, [&] { return !observer.ends.empty(); }));
        CHECK(observer.ends.at(0).kind == Kind::unreachable);
        return observer.ends.at(0).message;
    };
    std::filesystem::create_directory(folder + "/folder");
    std::ofstream(folder + "/file").put('x');
    CHECK(contains(error_at(folder + "/none"), "there is no such socket; is the engine running?"));
    CHECK(contains(error_at(folder + "/folder"), "there is a folder, not a socket"));
    CHECK(contains(error_at(folder + "/file"), "there is a file, not a socket"));
    CHECK(contains(error_at("tcp://localhost:1"), "watched on unix sockets only"));
    std::filesystem::remove_all(folder);
}

TEST_CASE("an engine that accepts and never answers is given up after a while") {
    ContainerdOptions options;
    options.stream_deadline = milliseconds(300);
    ContainerdFixture fixture(options);
    fixture.engine.hang("Events/Subscribe");
    fixture.engine.hang("Events/Publish");
    const EngineError error = fixture.open_in_vain();
    CHECK(error.kind == Kind::timeout);
    CHECK(contains(error.message, "no events within 0.3 s; does the engine hang?"));
}

TEST_CASE("an engine that doesn't have what containerd has is told as such") {
    ContainerdFixture fixture;
    fixture.engine.refuse("Events/Subscribe", 12, "unknown service containerd.services.events.v1.Events");
    fixture.engine.hang("Events/Publish");
    const EngineError error = fixture.open_in_vain();
    CHECK(error.kind == Kind::engine);
    CHECK(contains(error.message, "UNIMPLEMENTED"));
    CHECK(contains(error.message, "is this the type of engine that was configured?"));
}

TEST_CASE("where nothing may be published, the stream is opened all the same") {
    ContainerdFixture fixture;
    fixture.engine.refuse("Events/Publish", 7, "read only");
    fixture.open();
    // It was asked for before, and there is nothing by which the client could know that it stands.
    REQUIRE(fixture.engine.wait_for_subscriber());
    fixture.engine.emit_start("default", "web");
    REQUIRE(fixture.wait_for_events(1));
}
