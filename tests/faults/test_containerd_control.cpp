// What is done to containers of a containerd that obeys, and of one that does otherwise.
#include <chrono>
#include <csignal>
#include <string>

#include "engines/containerd/signals.h"
#include "engines/http/json.h"
#include "tests/faults/containerd_fixture.h"

using namespace shorewatch;
using namespace shorewatch::fakes;
using namespace std::chrono_literals;
using Catch::Matchers::ContainsSubstring;
using containerd::ContainerdOptions;
using Kind = EngineError::Kind;
using Answer = std::optional<std::optional<EngineError>>;  // empty until it has come

namespace {

const char* const signal_label = "io.containerd.image.config.stop-signal";

template <typename Call>
std::optional<EngineError> ask(ContainerdFixture& fixture, Call call) {
    Answer answer;
    call(fixture.client->control(), [&](std::optional<EngineError> error) { answer = std::move(error); });
    CHECK_FALSE(answer);
    REQUIRE(fixture.drive_until([&] { return answer.has_value(); }));
    return *answer;
}

std::optional<EngineError> pause(ContainerdFixture& fixture, const std::string& id) {
    return ask(fixture, [&](EngineControl& control, const auto& done) { control.pause(id, done); });
}
std::optional<EngineError> unpause(ContainerdFixture& fixture, const std::string& id) {
    return ask(fixture, [&](EngineControl& control, const auto& done) { control.unpause(id, done); });
}
std::optional<EngineError> stop(ContainerdFixture& fixture, const std::string& id,
                                std::chrono::seconds time) {
    return ask(fixture, [&](EngineControl& control, const auto& done) { control.stop(id, time, done); });
}
std::optional<EngineError> send(ContainerdFixture& fixture, const std::string& id, int signal) {
    return ask(fixture, [&](EngineControl& control, const auto& done) { control.kill(id, signal, done); });
}

Kind kind_of(const std::optional<EngineError>& error) {
    REQUIRE(error);
    return error->kind;
}

Result<std::string> ask_json(ContainerdFixture& fixture, const std::string& id) {
    std::optional<Result<std::string>> answer;
    fixture.client->control().inspect_json(id, [&](auto result) { answer = std::move(result); });
    REQUIRE(fixture.drive_until([&] { return answer.has_value(); }));
    return *answer;
}

}  // namespace

TEST_CASE("what is asked of containerd is done, and told as if anybody else had done it") {
    ContainerdFixture fixture;
    fixture.engine.put("default", {.id = "web"});
    fixture.open();
    CHECK_FALSE(pause(fixture, "default/web"));
    CHECK_FALSE(unpause(fixture, "default/web"));
    CHECK_FALSE(send(fixture, "default/web", SIGUSR1));
    REQUIRE(fixture.wait_for_events(3));
    CHECK(fixture.observer.story() == "paused web, unpaused web, exited web 138");
    CHECK(fixture.engine.signals("default", "web") == std::vector{SIGUSR1});
}

TEST_CASE("each of containerd's refusals has its kind, and its words") {
    ContainerdFixture fixture;
    fixture.engine.put("default", {.id = "web"});
    fixture.engine.put("default", {.id = "frozen", .status = 4});
    fixture.engine.put("default", {.id = "over", .status = 3});
    fixture.engine.put("default", {.id = "never", .has_task = false});
    fixture.open();
    CHECK(kind_of(unpause(fixture, "default/web")) == Kind::conflict);
    const auto twice = pause(fixture, "default/frozen");
    CHECK(kind_of(twice) == Kind::conflict);
    CHECK_THAT(twice->message, ContainsSubstring("cannot pause container default/frozen at unix://") &&
                                   ContainsSubstring("cannot pause a paused container"));
    for (const char* id : {"default/over", "default/never"}) {
        CAPTURE(id);
        CHECK(kind_of(pause(fixture, id)) == Kind::not_alive);
        CHECK(kind_of(unpause(fixture, id)) == Kind::not_alive);
        CHECK(kind_of(send(fixture, id, SIGTERM)) == Kind::not_alive);
        CHECK(kind_of(stop(fixture, id, 1s)) == Kind::not_alive);
        CHECK(kind_of(stop(fixture, id, 0s)) == Kind::not_alive);
    }
    for (const char* id : {"default/none", "moby/hidden", "web", "a/b/c"}) {
        CAPTURE(id);
        CHECK(kind_of(pause(fixture, id)) == Kind::not_found);
        CHECK(kind_of(stop(fixture, id, 1s)) == Kind::not_found);
        CHECK(kind_of(send(fixture, id, SIGTERM)) == Kind::not_found);
        CHECK(ask_json(fixture, id).error().kind == Kind::not_found);
    }
    fixture.engine.refuse("Tasks/Pause", 9, "not in this state");
    CHECK(kind_of(pause(fixture, "default/web")) == Kind::conflict);
    fixture.engine.refuse("Tasks/Pause", 2, "runc is broken");
    CHECK(kind_of(pause(fixture, "default/web")) == Kind::engine);
    CHECK(kind_of(send(fixture, "default/web", 65)) == Kind::invalid);
    CHECK(kind_of(stop(fixture, "default/web", -1s)) == Kind::invalid);
    CHECK(fixture.engine.signals("default", "web").empty());
}

TEST_CASE("a stop is answered when the process has ended, by the signal that its image asks for") {
    ContainerdFixture fixture;
    FakeContainerd::Labels labels;
    std::chrono::seconds time = 60s;
    int sent = SIGTERM;
    SECTION("SIGTERM, if it asks for none") {}
    SECTION("one by its name") {
        labels = {{signal_label, "SIGQUIT"}};
        sent = SIGQUIT;
    }
    SECTION("one that is none is not believed") {
        labels = {{signal_label, "SIGNAL"}};
    }
    SECTION("no time is SIGKILL") {
        labels = {{signal_label, "SIGQUIT"}};
        time = 0s;
        sent = SIGKILL;
    }
    fixture.engine.put("default", {.id = "web", .labels = labels});
    fixture.open();
    CHECK_FALSE(stop(fixture, "default/web", time));
    CHECK(fixture.engine.signals("default", "web") == std::vector{sent});
    // It is its owner's to delete.
    CHECK(fixture.engine.calls("Tasks/Delete") == 0);
}

TEST_CASE("what has not ended in its time is killed, and waited for again") {
    ContainerdFixture fixture;
    fixture.engine.put("default", {.id = "web", .ignores_signals = true});
    fixture.open();
    CHECK_FALSE(stop(fixture, "default/web", 1s));
    CHECK(fixture.engine.signals("default", "web") == std::vector{SIGTERM, SIGKILL});
    CHECK(fixture.engine.calls("Tasks/Wait") == 1);
}

TEST_CASE("a container that ends while it is given time is stopped, with no other signal") {
    ContainerdFixture fixture;
    fixture.engine.put("default", {.id = "web", .ignores_signals = true});
    fixture.open();
    Answer answer;
    fixture.client->control().stop("default/web", 60s, [&](auto error) { answer = std::move(error); });
    REQUIRE(fixture.drive_until([&] { return fixture.engine.calls("Tasks/Kill") == 1; }));
    REQUIRE(fixture.engine.wait_for_calls("Tasks/Wait", 1));
    CHECK_FALSE(answer);
    fixture.engine.die("default", "web", 0);
    REQUIRE(fixture.drive_until([&] { return answer.has_value(); }));
    CHECK_FALSE(*answer);
    CHECK(fixture.engine.signals("default", "web") == std::vector{SIGTERM});
}

TEST_CASE("a task that its owner deletes at once has ended all the same") {
    ContainerdFixture fixture;
    fixture.engine.put("default", {.id = "web"});
    fixture.open();
    const int code = GENERATE(2, 5);
    fixture.engine.replace("Tasks/Wait", [&](const GrpcExchangePtr& exchange) {
        fixture.engine.put("default", {.id = "web", .has_task = false});
        exchange->finish(code, "ttrpc: closed");
    });
    SECTION("after the signal") {
        fixture.engine.replace("Tasks/Kill", [](const GrpcExchangePtr& exchange) { exchange->answer({}); });
        CHECK_FALSE(stop(fixture, "default/web", 60s));
    }
    SECTION("before it") {
        fixture.engine.refuse("Tasks/Kill", 5, "no running task");
        CHECK(kind_of(stop(fixture, "default/web", 60s)) == Kind::not_alive);
    }
}

TEST_CASE("a wait that fails while the task is there is an error") {
    ContainerdFixture fixture;
    fixture.engine.put("default", {.id = "web", .ignores_signals = true});
    fixture.open();
    fixture.engine.refuse("Tasks/Wait", 2, "the shim is ill");
    const auto error = stop(fixture, "default/web", 60s);
    CHECK(kind_of(error) == Kind::engine);
    CHECK_THAT(error->message, ContainsSubstring("the shim is ill"));
}

TEST_CASE("calls that hang end in time, and hold up nothing else") {
    ContainerdOptions options;
    options.control_deadline = 300ms;
    options.stop_margin = 300ms;
    ContainerdFixture fixture(options);
    fixture.engine.put("default", {.id = "web", .ignores_signals = true});
    fixture.engine.put("default", {.id = "other"});
    fixture.open();
    fixture.engine.hang("Tasks/Kill");
    std::size_t timeouts = 0;
    for (std::size_t i = 0; i < EngineControl::most_at_a_time; ++i) {
        fixture.client->control().kill("default/web", SIGTERM, [&](const std::optional<EngineError>& error) {
            if (kind_of(error) == Kind::timeout) ++timeouts;
        });
    }
    CHECK_FALSE(pause(fixture, "default/other"));
    CHECK(fixture.list());
    CHECK(fixture.inspect("default/web"));
    CHECK(ask_json(fixture, "default/web"));
    REQUIRE(fixture.drive_until([&] { return timeouts == EngineControl::most_at_a_time; }));
    SECTION("a stop whose signal hangs") {
        CHECK(kind_of(stop(fixture, "default/web", 1s)) == Kind::timeout);
    }
    SECTION("a stop that even SIGKILL does not bring about") {
        fixture.engine.replace("Tasks/Kill", [](const GrpcExchangePtr& exchange) { exchange->answer({}); });
        const auto error = stop(fixture, "default/web", 1s);
        CHECK(kind_of(error) == Kind::timeout);
        CHECK_THAT(error->message, ContainsSubstring("no answer within 1.3 s"));
        CHECK(fixture.engine.calls("Tasks/Kill") == EngineControl::most_at_a_time + 2);
    }
}

TEST_CASE("an inspection has containerd's record, the specification as it is, and the task") {
    ContainerdFixture fixture;
    fixture.engine.put("default", {.id = "web", .labels = {{"a", "b\xff"}}, .pid = 77});
    fixture.engine.put("default", {.id = "never", .has_task = false});
    fixture.engine.put("default", {.id = "odd", .spec = "no JSON"});
    fixture.open();
    const auto text = ask_json(fixture, "default/web");
    REQUIRE(text);
    const json::Document document(text.value());
    const json::Value& root = document.root();
    CHECK(json::text_at(root, {"ID"}) == "web");
    CHECK(json::text_at(root, {"Image"}) == "busybox");
    CHECK(json::text_at(root, {"Labels", "a"}) == "b\uFFFD");
    CHECK(json::text_at(root, {"Runtime", "Name"}) == "io.containerd.runc.v2");
    CHECK(json::text_at(root, {"Snapshotter"}) == "native");
    CHECK(json::text_at(root, {"SnapshotKey"}) == "web");
    CHECK(json::text_at(root, {"CreatedAt"}) == "1970-01-01T00:15:00.000000000Z");
    CHECK(json::text_at(root, {"Spec", "ociVersion"}) == "1.0.2");
    CHECK(json::text_at(root, {"Task", "Status"}) == "RUNNING");
    CHECK(json::integer_at(root, {"Task", "Pid"}) == 77);
    CHECK_THAT(ask_json(fixture, "default/never").value(), ContainsSubstring("\"Task\":null"));
    CHECK_THAT(ask_json(fixture, "default/odd").value(), ContainsSubstring("\"Spec\":null"));
    SECTION("of another container there is none") {
        fixture.engine.replace("Containers/Get",
                               [](const GrpcExchangePtr& e) { e->answer("\x0a\x03\x0a\x01x"); });
        CHECK(ask_json(fixture, "default/web").error().kind == Kind::protocol);
    }
    SECTION("the shim hangs") {
        fixture.engine.refuse("Tasks/Get", 2, "the shim is ill");
        CHECK(ask_json(fixture, "default/web").error().kind == Kind::engine);
    }
}

TEST_CASE("a client is closed or destroyed with calls under way, and is silent from then on") {
    ContainerdFixture fixture;
    fixture.engine.put("default", {.id = "web", .ignores_signals = true});
    const auto silent = [](const auto&) { FAIL("it answered"); };
    // Refused, but not told yet.
    fixture.client->control().stop("default/web", 1s, silent);
    fixture.client->close();
    fixture.open();
    fixture.engine.hang("Tasks/Pause");
    for (int i = 0; i < 20; ++i) {
        fixture.client->control().stop("default/web", 60s, silent);
        fixture.client->control().pause("default/web", silent);
    }
    REQUIRE(fixture.engine.wait_for_calls("Tasks/Pause", 20));
    REQUIRE(fixture.drive_until([&] { return fixture.engine.calls("Tasks/Kill") == 20; }));
    REQUIRE(fixture.engine.wait_for_calls("Tasks/Wait", 20));
    const auto way = GENERATE(0, 1, 2);
    if (way == 0) fixture.client->close();
    if (way == 1) fixture.client.reset();
    if (way == 2) {
        bool answered = false;
        fixture.client->control().inspect_json("default/web", [&](const auto&) {
            answered = true;
            fixture.client.reset();
        });
        REQUIRE(fixture.drive_until([&] { return answered; }));
    }
    CHECK(fixture.engine.all_gone());
    bool turned = false;
    fixture.loop.post([&] { turned = true; });
    REQUIRE(fixture.drive_until([&] { return turned; }));
}

TEST_CASE("signals are known by number and by name, in whichever way they are written") {
    using containerd::signal_of;
    CHECK(signal_of("15") == 15);
    CHECK(signal_of("SIGTERM") == 15);
    CHECK(signal_of("term") == 15);
    CHECK(signal_of("Kill") == 9);
    CHECK(signal_of("SIGRTMIN+3") == 37);
    CHECK(signal_of("RTMIN") == 34);
    CHECK(signal_of("SIGRTMAX-1") == 63);
    for (const char* none : {"", "0", "65", "-1", "SIG", "SIGNAL", "RTMIN-1", "RTMIN+31", "RTMAX-40", "15 ",
                             "RTMIN+", "+3", "99999999999"}) {
        CAPTURE(none);
        CHECK_FALSE(signal_of(none));
    }
}
