// What the runtime interface lets be done to containers: they are stopped, and inspected.
#include <atomic>
#include <chrono>
#include <string>

#include "engines/http/json.h"
#include "tests/faults/cri_fixture.h"

using namespace shorewatch;
using namespace shorewatch::fakes;
using namespace std::chrono_literals;
using Catch::Matchers::ContainsSubstring;
using Kind = EngineError::Kind;
using Answer = std::optional<std::optional<EngineError>>;  // empty until it has come

namespace {

struct Played : CriFixture {
    Played() {
        engine.put(FakeCrio::Pod{.id = "p1", .name = "db-0"});
        engine.put(FakeCrio::Container{.id = "c1", .pod = "p1", .name = "web", .labels = {{"a", "b\xff"}}});
        engine.put(FakeCrio::Container{.id = "over", .pod = "p1", .name = "over", .state = 2});
    }

    template <typename Call>
    std::optional<EngineError> ask(Call call) {
        Answer answer;
        call(client->control(), [&](std::optional<EngineError> error) { answer = std::move(error); });
        CHECK_FALSE(answer);
        REQUIRE(drive_until([&] { return answer.has_value(); }));
        return *answer;
    }
    std::optional<EngineError> stop(const std::string& id, std::chrono::seconds time = 7s) {
        return ask([&](EngineControl& control, const auto& done) { control.stop(id, time, done); });
    }
    Result<std::string> json_of(const std::string& id) {
        std::optional<Result<std::string>> answer;
        client->control().inspect_json(id, [&](auto result) { answer = std::move(result); });
        REQUIRE(drive_until([&] { return answer.has_value(); }));
        return *answer;
    }
};

Kind kind_of(const std::optional<EngineError>& error) {
    REQUIRE(error);
    return error->kind;
}

}  // namespace

TEST_CASE("a container is stopped in the time that it is given, and a sandbox with all that is in it") {
    Played played;
    played.open();
    CHECK_FALSE(played.stop("c1"));
    CHECK(played.engine.stopped_in("c1") == 7);
    CHECK_FALSE(played.stop("p1"));
    CHECK(played.engine.stopped_in("p1") == 0);
    CHECK(played.engine.calls("StopPodSandbox") == 1);
    // Both are over by now.
    CHECK(kind_of(played.stop("c1")) == Kind::not_alive);
    CHECK(kind_of(played.stop("p1")) == Kind::not_alive);
    CHECK(kind_of(played.stop("over")) == Kind::not_alive);
    // The beginning of an id is none.
    for (const char* none : {"c", "p", "none", ""})
        CHECK(kind_of(played.stop(none)) == Kind::not_found);
    CHECK(kind_of(played.stop("c1", -1s)) == Kind::invalid);
    CHECK(played.engine.calls("StopContainer") == 1);
}

TEST_CASE("what the interface has no call for is refused, with what can be done instead") {
    Played played;
    played.open();
    const auto pause = played.ask([](EngineControl& c, const auto& done) { c.pause("c1", done); });
    const auto unpause = played.ask([](EngineControl& c, const auto& done) { c.unpause("c1", done); });
    const auto kill = played.ask([](EngineControl& c, const auto& done) { c.kill("c1", 15, done); });
    for (const auto& error : {pause, unpause, kill}) {
        CHECK(kind_of(error) == Kind::not_supported);
        CHECK_THAT(error->message,
                   ContainsSubstring("type \"cri\"") && ContainsSubstring("stop the container"));
    }
    CHECK_THAT(pause->message, ContainsSubstring("cannot pause container c1 at unix://"));
    const auto no_signal = played.ask([](EngineControl& c, const auto& done) { c.kill("c1", 0, done); });
    CHECK(kind_of(no_signal) == Kind::invalid);
}

TEST_CASE("a stop that goes wrong says why") {
    Played played;
    played.open();
    SECTION("the runtime says no") {
        played.engine.refuse("StopContainer", 2, "conmon is gone");
        const auto error = played.stop("c1");
        CHECK(kind_of(error) == Kind::engine);
        CHECK_THAT(error->message,
                   ContainsSubstring("cannot stop container c1 at") && ContainsSubstring("conmon is gone"));
    }
    SECTION("what it is can't be found out") {
        played.engine.refuse("ListContainers", 2, "no list");
        CHECK(kind_of(played.stop("c1")) == Kind::engine);
    }
    SECTION("there is no stream") {
        played.client->close();
        CHECK(kind_of(played.stop("c1")) == Kind::unreachable);
        CHECK(played.json_of("c1").error().kind == Kind::unreachable);
    }
}

TEST_CASE("a stop that hangs holds up no other, and ends with the client") {
    Played played;
    played.engine.put(FakeCrio::Container{.id = "c2", .pod = "p1", .name = "two"});
    played.open();
    std::atomic<int> asked = 0;
    played.engine.replace("StopContainer", [&](const GrpcExchangePtr& exchange) {
        // The first one hangs.
        if (++asked > 1) exchange->answer({});
    });
    const auto silent = [](const auto&) { FAIL("it answered"); };
    played.client->control().stop("c1", 60s, silent);
    // Each list wakes the loop once more.
    while (asked == 0)
        REQUIRE(played.list());
    CHECK_FALSE(played.stop("c2"));
    CHECK(played.json_of("c1"));
    played.client.reset();
    bool turned = false;
    played.loop.post([&] { turned = true; });
    REQUIRE(played.drive_until([&] { return turned; }));
}

TEST_CASE("an inspection has the runtime's status, and all it says when it is asked to be verbose") {
    Played played;
    played.open();
    const auto text = played.json_of("c1");
    REQUIRE(text);
    const json::Document document(text.value());
    const json::Value& root = document.root();
    CHECK(json::text_at(root, {"status", "id"}) == "c1");
    CHECK(json::text_at(root, {"status", "metadata", "name"}) == "web");
    CHECK(json::text_at(root, {"status", "state"}) == "CONTAINER_RUNNING");
    CHECK(json::text_at(root, {"status", "startedAt"}) == "1970-01-01T00:16:40.000000000Z");
    CHECK(json::text_at(root, {"status", "image", "image"}) == "quay.io/web");
    CHECK(json::text_at(root, {"status", "labels", "a"}) == "b\uFFFD");
    CHECK(json::text_at(root, {"status", "logPath"}) == "/var/log/web");
    CHECK(json::integer_at(root, {"info", "pid"}) == 1);
    const auto sandbox = played.json_of("p1");
    REQUIRE(sandbox);
    CHECK_THAT(sandbox.value(), ContainsSubstring("\"state\":\"SANDBOX_READY\""));
    CHECK(played.json_of("none").error().kind == Kind::not_found);
    played.engine.replace("ContainerStatus", [](const GrpcExchangePtr& e) { e->answer("\xff"); });
    CHECK(played.json_of("c1").error().kind == Kind::protocol);
}
