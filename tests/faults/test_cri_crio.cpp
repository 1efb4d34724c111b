// The runtime interface as CRI-O serves it, with events for every reader.
#include <algorithm>
#include <string>
#include <string_view>

#include "tests/faults/cri_fixture.h"

using namespace shorewatch;
using namespace shorewatch::fakes;
using Kind = EngineError::Kind;

namespace {

const Container& find(const Result<std::vector<ContainerPtr>>& list, std::string_view id) {
    REQUIRE(list);
    const auto found =
        std::ranges::find(list.value(), id, [](const auto& container) { return container->id; });
    REQUIRE(found != list.value().end());
    return **found;
}

}  // namespace

TEST_CASE("CRI-O's events are told to each of two readers") {
    CriFixture fixture;
    RecordingObserver other_observer;
    cri::CriClient other(fixture.loop, fixture.engine.endpoint(), {});
    fixture.engine.put(FakeCrio::Pod{.id = "p1", .name = "db-0"});
    fixture.open();
    other.lifecycle_events({}, other_observer);
    REQUIRE(fixture.drive_until([&] { return other_observer.opens == 1; }));
    REQUIRE(fixture.engine.wait_for_readers(2));
    fixture.engine.emit("c1", true, "p1");
    fixture.engine.emit("c1", false, "p1", 3);
    REQUIRE(fixture.drive_until(
        [&] { return fixture.observer.events.size() == 2 && other_observer.events.size() == 2; }));
    CHECK(fixture.observer.story() == "started c1, exited c1 3");
    CHECK(other_observer.story() == fixture.observer.story());
    CHECK(fixture.observer.identities.back().version == "1.28.4");
}

TEST_CASE("CRI-O is listed once more after a while, for what happened before it had taken the reader in") {
    CriFixture fixture;
    fixture.open();
    REQUIRE(fixture.drive_until([&] { return !fixture.observer.gaps.empty(); }));
    fixture.engine.emit("c1", true, "p1");
    REQUIRE(fixture.drive_until([&] { return fixture.observer.events.size() == 1; }));
    CHECK(fixture.observer.gaps == std::vector<std::string>{""});  // and nobody is bothered with it
}

TEST_CASE("a list of CRI-O's has containers with their pods, and sandboxes that have a process") {
    CriFixture fixture;
    fixture.engine.put(FakeCrio::Pod{.id = "p1", .name = "db-0", .name_space = "prod"});
    fixture.engine.put(
        FakeCrio::Pod{.id = "p2", .name = "shared", .pid = 50, .annotations = {{"note", "n"}}});
    fixture.engine.put(FakeCrio::Pod{.id = "p3", .name = "old", .pid = 51, .ready = false});
    fixture.engine.put(FakeCrio::Container{.id = "c1",
                                           .pod = "p1",
                                           .name = "postgres",
                                           .pid = 41,
                                           .labels = {{"tier", "back"}, {"odd", "\xff"}},
                                           .annotations = {{"hash", "abc"}}});
    fixture.engine.put(FakeCrio::Container{.id = "c2", .pod = "p1", .name = "init", .state = 2});
    fixture.engine.put(FakeCrio::Container{.id = "c3", .pod = "p1", .name = "new", .state = 0});
    fixture.engine.put(FakeCrio::Container{.id = "c4", .pod = "gone", .name = "lonely", .pid = 42});
    fixture.open();
    const auto list = fixture.list();
    REQUIRE(list);
    CHECK(list.value().size() == 3);
    const Container& db = find(list, "c1");
    CHECK(db.name == "postgres");
    CHECK(db.pid == 41);
    CHECK(db.image == "quay.io/postgres");
    CHECK(db.pod == "db-0");
    CHECK(db.pod_id == "uid-of-db-0");
    CHECK(db.name_space == "prod");
    CHECK(db.privileged);
    CHECK(db.started == RealTime{std::chrono::seconds(1000)});
    CHECK_FALSE(db.sandbox);
    CHECK(db.labels->entries() == Labels({{"tier", "back"},
                                          {"odd", "\uFFFD"},
                                          {"annotation.k8s/hash", "abc"},
                                          {"io.kubernetes.container.name", "postgres"},
                                          {"io.kubernetes.pod.name", "db-0"},
                                          {"io.kubernetes.pod.namespace", "prod"},
                                          {"io.kubernetes.pod.uid", "uid-of-db-0"}})
                                      .entries());
    const Container& sandbox = find(list, "p2");
    CHECK(sandbox.sandbox);
    CHECK(sandbox.name == "shared");
    CHECK(sandbox.pid == 50);
    CHECK(sandbox.labels->find("annotation.k8s/note") != nullptr);
    CHECK(find(list, "c4").pod.empty());
}

TEST_CASE("what is gone between the list and its status is left out of the list") {
    CriFixture fixture;
    fixture.engine.put(FakeCrio::Container{.id = "c1", .pod = "p1", .name = "web"});
    fixture.engine.refuse("ContainerStatus", 5);
    fixture.open();
    const auto list = fixture.list();
    REQUIRE(list);
    CHECK(list.value().empty());
}

TEST_CASE("a long list of CRI-O's is asked for a few at a time, and is whole") {
    CriFixture fixture;
    for (int i = 0; i < 100; ++i) {
        fixture.engine.put(FakeCrio::Container{.id = "c" + std::to_string(i), .pod = "p", .name = "web"});
    }
    std::mutex mutex;
    std::vector<GrpcExchangePtr> waiting;
    std::size_t most = 0;
    fixture.engine.replace("ContainerStatus", [&](const GrpcExchangePtr& exchange) {
        std::vector<GrpcExchangePtr> ready;
        {
            const std::lock_guard lock(mutex);
            waiting.push_back(exchange);
            most = std::max(most, waiting.size());
            // Answered only when as many are there as may be.
            if (waiting.size() == 8 || fixture.engine.calls("ContainerStatus") > 96) ready.swap(waiting);
        }
        for (const GrpcExchangePtr& one : ready)
            one->finish(5, "gone");
    });
    fixture.open();
    const auto list = fixture.list();
    REQUIRE(list);
    CHECK(fixture.engine.calls("ContainerStatus") == 100);
    CHECK(most == 8);
}

TEST_CASE("sandboxes without a process are no containers, whatever events say of them") {
    CriFixture fixture;
    fixture.engine.put(FakeCrio::Pod{.id = "p1", .name = "usual"});
    fixture.engine.put(FakeCrio::Pod{.id = "p2", .name = "shared", .pid = 50});
    fixture.open();
    for (const char* id : {"p1", "p2"})
        fixture.engine.emit(id, true, id);
    REQUIRE(fixture.drive_until([&] { return fixture.observer.events.size() == 1; }));
    for (const char* id : {"p1", "p2"})
        fixture.engine.emit(id, false, id);
    fixture.engine.emit("c1", true, "p1");
    REQUIRE(fixture.drive_until([&] { return fixture.observer.events.size() == 3; }));
    CHECK(fixture.observer.story() == "started p2, exited p2, started c1");
    CHECK(fixture.observer.events[0].container->sandbox);
}

TEST_CASE("a sandbox that ends while it is looked at is told in order") {
    CriFixture fixture;
    fixture.engine.put(FakeCrio::Pod{.id = "p1", .name = "short", .pid = 50});
    GrpcExchangePtr status;
    fixture.engine.replace("PodSandboxStatus", [&](const GrpcExchangePtr& exchange) {
        fixture.loop.post([&status, exchange] { status = exchange; });
    });
    fixture.open();
    fixture.engine.emit("p1", true, "p1");
    fixture.engine.emit("p1", false, "p1");
    fixture.engine.emit("c1", true, "p1");
    REQUIRE(fixture.drive_until([&] { return status != nullptr && fixture.observer.events.size() == 1; }));
    // "{"pid":50}", under the key info, of a sandbox that is ready.
    status->answer(std::string("\x0a\x02\x0a\x00\x12\x12\x0a\x04info\x12\x0a{\"pid\":50}", 24));
    REQUIRE(fixture.drive_until([&] { return fixture.observer.events.size() == 3; }));
    CHECK(fixture.observer.story() == "started c1, started p1, exited p1");
}

TEST_CASE("the end of a sandbox that was there before is told") {
    CriFixture fixture;
    fixture.engine.put(FakeCrio::Pod{.id = "p1", .name = "shared", .pid = 50});
    fixture.open();
    REQUIRE(fixture.list().value().size() == 1);
    fixture.engine.emit("p1", false, "p1");
    REQUIRE(fixture.drive_until([&] { return fixture.observer.events.size() == 1; }));
    CHECK(fixture.observer.story() == "exited p1");
}

TEST_CASE("an inspection tells of CRI-O's living and dead, and of what there isn't") {
    CriFixture fixture;
    fixture.engine.put(FakeCrio::Pod{.id = "p1", .name = "db-0"});
    fixture.engine.put(FakeCrio::Container{.id = "c1", .pod = "p1", .name = "web", .pid = 41});
    fixture.engine.put(
        FakeCrio::Container{.id = "c2", .pod = "p1", .name = "over", .state = 2, .exit_code = 7});
    fixture.engine.put(FakeCrio::Container{.id = "c3", .pod = "p1", .name = "odd", .info = "no JSON"});
    fixture.open();
    const auto web = fixture.inspect("c1").value();
    CHECK(web.alive);
    CHECK(web.container->pid == 41);
    CHECK(web.container->pod == "db-0");
    const auto over = fixture.inspect("c2").value();
    CHECK_FALSE(over.alive);
    CHECK(over.exit_code == 7);
    CHECK(over.finished == RealTime{std::chrono::seconds(2000)});
    const auto odd = fixture.inspect("c3");
    REQUIRE_FALSE(odd);
    CHECK(contains(odd.error().message, "does not tell the pid"));
    CHECK_FALSE(fixture.inspect("p1").value().alive);
    // "c" is the beginning of three ids, and none itself.
    for (const char* id : {"c", "nobody", "", "\xff"}) {
        const auto none = fixture.inspect(id);
        REQUIRE_FALSE(none);
        CHECK(none.error().kind == Kind::not_found);
    }
}

TEST_CASE("a CRI-O that was not told to tell of events says what to do") {
    CriFixture fixture;
    fixture.engine.refuse("GetContainerEvents", 12, "not enabled");
    fixture.client->lifecycle_events({}, fixture.observer);
    const EngineError error = fixture.end_of_stream(false);
    CHECK(error.kind == Kind::engine);
    CHECK(contains(error.message, "enable_pod_events = true"));
}

TEST_CASE("events that make no sense are passed over, and a message that is none ends the stream") {
    CriFixture fixture;
    fixture.open();
    fixture.engine.stream_bytes("");
    fixture.engine.emit("", true, "p1");
    fixture.engine.emit("\xff", true, "p1");
    fixture.engine.emit(std::string(10'000, 'x'), true, "p1");
    fixture.engine.emit("good", true, "p1");
    REQUIRE(fixture.drive_until([&] { return fixture.observer.events.size() == 1; }));
    fixture.engine.stream_bytes("\xff\xff\xff");
    CHECK(fixture.end_of_stream(false).kind == Kind::protocol);
}

TEST_CASE("whatever goes wrong with a list of CRI-O's, it is answered once, with the reason") {
    const std::string method = GENERATE(as<std::string>{}, "ListContainers", "ListPodSandbox",
                                        "ContainerStatus", "PodSandboxStatus");
    const bool garbage = GENERATE(false, true);
    CAPTURE(method, garbage);
    CriFixture fixture;
    for (const char* id : {"1", "2"}) {
        fixture.engine.put(FakeCrio::Pod{.id = "p" + std::string(id), .name = "pod"});
        fixture.engine.put(FakeCrio::Container{.id = "c" + std::string(id), .pod = "p1", .name = "web"});
    }
    fixture.open();
    if (garbage) {
        fixture.engine.replace(method, [](const GrpcExchangePtr& e) { e->answer("\xff\xff\xff"); });
    } else {
        fixture.engine.refuse(method, 2, "the disk is full");
    }
    const auto list = fixture.list();
    REQUIRE_FALSE(list);
    CHECK(list.error().kind == (garbage ? Kind::protocol : Kind::engine));
    if (!garbage) CHECK(contains(list.error().message, "the disk is full"));
}
