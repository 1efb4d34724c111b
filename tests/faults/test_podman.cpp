// What PodmanClient makes of a service's answers, good and bad: a server that says what real services have
// said.
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "engines/podman/podman_client.h"
#include "tests/fakes/leak_check.h"
#include "tests/fakes/recording_observer.h"
#include "tests/unit/catch.h"
#include "tests/unit/http_test_server.h"

using namespace shorewatch;
using namespace shorewatch::test;
using Catch::Matchers::ContainsSubstring;
using fakes::drive;
using Kind = EngineError::Kind;

namespace {

rest::Options options_for_tests() {
    rest::Options options = podman::default_options();
    options.late_head = {};
    return options;
}

// A service without containers, until a test says more.
struct Service {
    EventLoop loop;
    std::string version = "4.3.1";  // "": no header
    int ping_status = 200;
    bool late_head = false;
    bool refuse_events = false;
    std::map<std::string, std::pair<int, std::string>>
        answers;  // by path below the version; status 0: none ever
    HttpConnectionPtr stream;
    std::map<std::string, std::string> events_asked;  // the parameters
    std::map<std::string, std::string> posted;        // the parameters of the last POST
    TestServer server{loop, [this](const auto& connection, const auto& asked) { serve(connection, asked); }};
    fakes::RecordingObserver observer;
    podman::PodmanClient client;

    explicit Service(const rest::Options& options = options_for_tests())
        : client(loop, server.endpoint(), options) {}
    Service(const Service&) = delete;
    Service& operator=(const Service&) = delete;
    ~Service() { stream.reset(); }

    void open(std::optional<RealTime> since = {}) {
        client.lifecycle_events(since, observer);
        REQUIRE(drive(loop, [&] { return observer.opens == 1 || !observer.ends.empty(); }));
    }
    EngineError open_in_vain() {
        open();
        CHECK(observer.opens == 0);
        REQUIRE(observer.ends.size() == 1);
        return observer.ends[0];
    }
    void send(const std::string& text) { stream->write(fakes::chunk(text)); }

    Result<std::vector<ContainerPtr>> list() {
        std::optional<Result<std::vector<ContainerPtr>>> answer;
        client.list([&](auto result) { answer = std::move(result); });
        REQUIRE(drive(loop, [&] { return answer.has_value(); }));
        return *answer;
    }
    Result<Inspection> inspect(const std::string& id) {
        std::optional<Result<Inspection>> answer;
        client.inspect(id, [&](auto result) { answer = std::move(result); });
        REQUIRE(drive(loop, [&] { return answer.has_value(); }));
        return *answer;
    }

  private:
    void serve(const HttpConnectionPtr& connection, const HttpRequest& asked) {
        const std::string& path = asked.path;
        static const std::string prefix = "/v4.0.0/libpod";
        if (path == "/libpod/_ping") {
            const std::string header = version.empty() ? "" : "Libpod-Api-Version: " + version + "\r\n";
            connection->write("HTTP/1.1 " + std::to_string(ping_status) + " Whatever\r\n" + header +
                              "Content-Length: 2\r\n\r\nOK");
            return connection->end_response();
        }
        if (!path.starts_with(prefix)) return answer(connection, 404, R"({"message":"no such path"})");
        const std::string below = path.substr(prefix.size());
        if (asked.method == "POST") posted = asked.parameters;
        if (below == "/events") {
            if (refuse_events) return answer(connection, 500, R"({"message":"no log"})");
            events_asked = asked.parameters;
            stream = connection;
            if (!late_head) connection->write(stream_head);
            return;
        }
        const auto found = answers.find(below);
        if (found != answers.end()) {
            const auto& [status, body] = found->second;
            return status != 0 ? answer(connection, status, body) : void();
        }
        answer(connection, 404,
               R"({"cause":"no such container","message":"no container with that id","response":404})");
    }
};

std::string event(const std::string& action, const std::string& name, std::int64_t nanosecond) {
    return R"({"Type":"container","Action":")" + action + R"(","Actor":{"ID":")" + name +
           R"(1","Attributes":{"name":")" + name + R"(","containerExitCode":"3"}},"timeNano":)" +
           std::to_string(1700000000000000000 + nanosecond) + "}\n";
}

std::string rotation(std::int64_t nanosecond) {
    return R"({"status":"log-rotation","Type":"system","Action":"log-rotation","Actor":{"ID":"","Attributes":)"
           R"({"image":"","io.podman.event.rotate":"end","name":"/run/libpod/events/events.log","podId":""}},)"
           R"("scope":"local","timeNano":)" +
           std::to_string(1700000000000000000 + nanosecond) + "}\n";
}

const std::string in_a_pod =
    R"({"Id":"web1","Name":"web","Pod":"p1","State":{"Status":"running","Pid":7,"StartedAt":"2026-11-22T03:31:58.5Z"}})";

}  // namespace

TEST_CASE("what can't be watched as Podman is refused, and told by what it says") {
    Service service;
    SECTION("too old") {
        service.version = "3.4.4";
        const EngineError error = service.open_in_vain();
        CHECK(error.kind == Kind::engine);
        CHECK_THAT(error.message,
                   ContainsSubstring("Podman 3.4.4") && ContainsSubstring(service.server.endpoint().url()));
    }
    SECTION("no Podman") {
        service.version = "";
        CHECK_THAT(service.open_in_vain().message, ContainsSubstring("is this Podman?"));
    }
    SECTION("another engine's socket") {
        service.ping_status = 404;
        CHECK(service.open_in_vain().kind == Kind::engine);
    }
}

TEST_CASE("Podman's events are asked for by type alone, and from when they are wanted on") {
    const fakes::LeakCheck leaks;
    Service service;
    service.open(RealTime{std::chrono::seconds(1700000005)});
    CHECK(service.events_asked["since"] == "1700000005.000000000");
    service.client.close();
    service.observer = {};
    // A little of it is asked for again, but nothing from before the first.
    service.open(RealTime{std::chrono::milliseconds(1700000005500)});
    CHECK(service.events_asked["since"] == "1700000005.000000000");
    service.client.close();
    service.observer = {};
    service.open(RealTime{std::chrono::milliseconds(1700000007500)});
    using Parameters = std::map<std::string, std::string>;
    CHECK(service.events_asked == Parameters{{"stream", "true"},
                                             {"since", "1700000006.500000000"},
                                             {"filters", R"({"type":["container","system"]})"}});
    service.client.close();
    service.observer = {};
    // The clock has been set back: Podman tells nothing from before what it is asked for.
    service.open(real_time_now() + std::chrono::hours(1));
    CHECK(service.events_asked["since"] < to_decimal_seconds(real_time_now()));
}

TEST_CASE("Podman's events are told once, and what is none is passed over") {
    Service service;
    service.open();
    service.send(event("start", "web", 1) + "null\n" + event("start", "web", 1) +
                 event("exec_died", "web", 2) + R"({"Type":"pod","Action":"start"})" +
                 event("died", "web", 3) + event("remove", "web", 4));
    REQUIRE(drive(service.loop, [&] { return service.observer.events.size() == 3; }));
    CHECK(service.observer.story() == "started web, exited web 3, removed web");
    CHECK(service.observer.gaps.empty());
    CHECK(service.observer.ends.empty());
}

TEST_CASE("when Podman has rotated its log of events, the log is read anew, and each event is told once") {
    const fakes::LeakCheck leaks;
    Service service;
    service.open(RealTime{std::chrono::seconds(1700000000)});
    service.send(event("start", "web", 1) + event("start", "db", 2'000'000'000));
    REQUIRE(drive(service.loop, [&] { return service.observer.events.size() == 2; }));
    const HttpConnectionPtr first = service.stream;
    // What follows it is in the log, too.
    service.send(rotation(2'100'000'000) + event("died", "db", 2'200'000'000));
    REQUIRE(drive(service.loop, [&] { return service.stream != first; }));
    CHECK(service.events_asked["since"] == "1700000001.000000000");
    CHECK(service.observer.gaps == std::vector<std::string>{""});  // and nobody is bothered with it
    service.send(event("start", "db", 2'000'000'000) + event("died", "web", 2'050'000'000) +
                 rotation(2'100'000'000) + event("died", "db", 2'200'000'000));
    REQUIRE(drive(service.loop, [&] { return service.observer.events.size() == 4; }));
    CHECK(service.observer.story() == "started web, started db, exited web 3, exited db 3");
    CHECK(service.observer.gaps.size() == 1);
    CHECK(service.observer.opens == 1);
    CHECK(service.observer.ends.empty());
}

TEST_CASE("a service that ends while its log is read anew is lost, once") {
    Service service;
    service.open();
    service.refuse_events = true;
    service.send(rotation(1));
    REQUIRE(drive(service.loop, [&] { return !service.observer.ends.empty(); }));
    CHECK_THAT(service.observer.ends[0].message, ContainsSubstring("follow the engine's events"));
    CHECK(service.observer.gaps.empty());
    CHECK(service.observer.opens == 1);
}

TEST_CASE("a checkpoint is a gap in what Podman tells") {
    Service service;
    service.open();
    service.send(event("checkpoint", "web", 1) + event("start", "web", 2));
    REQUIRE(drive(service.loop, [&] { return !service.observer.events.empty(); }));
    REQUIRE(service.observer.gaps.size() == 1);
    CHECK_THAT(service.observer.gaps[0], ContainsSubstring("checkpoint of container web1"));
}

TEST_CASE("an error that Podman appends to a good answer ends the stream in Podman's words") {
    Service service;
    service.open();
    service.send(
        R"({"cause":"none","message":"cannot read events with the \"none\" backend","response":500})");
    REQUIRE(drive(service.loop, [&] { return !service.observer.ends.empty(); }));
    CHECK(service.observer.ends[0].kind == Kind::engine);
    CHECK_THAT(service.observer.ends[0].message, ContainsSubstring("the \"none\" backend"));
}

TEST_CASE("a service that sends the head with the first event is followed before") {
    rest::Options options = options_for_tests();
    options.late_head = std::chrono::milliseconds(1);
    Service service(options);
    service.late_head = true;
    service.open();
    CHECK(service.observer.opens == 1);
    service.answers["/containers/json"] = {200, "[]"};
    CHECK(service.list());
    service.stream->write(stream_head);
    service.send(event("start", "web", 1));
    REQUIRE(drive(service.loop, [&] { return !service.observer.events.empty(); }));
    CHECK(service.observer.opens == 1);
}

TEST_CASE("Podman's identity is its store's, and comes when it comes") {
    Service service;
    service.answers["/info"] = {
        200, R"({"host":{"hostname":"h"},"store":{"graphRoot":"/s"},"version":{"Version":"4.3.1"}})"};
    service.answers["/containers/json"] = {200, "[]"};
    service.open();
    CHECK(service.list());
    REQUIRE(drive(service.loop, [&] {
        return !service.observer.identities.empty() && !service.observer.identities.back().id.empty();
    }));
    CHECK(service.observer.identities.back().id == "h:/s");
    CHECK(service.observer.identities.back().version == "4.3.1");

    // It is not forgotten while it is asked for again.
    service.answers["/info"] = {0, ""};
    service.client.close();
    service.observer = {};
    service.open();
    REQUIRE_FALSE(service.observer.identities.empty());
    CHECK(service.observer.identities.front().id == "h:/s");
}

TEST_CASE("the name of a container's pod is asked for, once") {
    Service service;
    service.open();
    service.answers["/containers/web1/json"] = {200, in_a_pod};
    SECTION("and told") {
        service.answers["/pods/p1/json"] = {200, R"({"Id":"p1","Name":"tide"})"};
        CHECK(service.inspect("web1").value().container->pod == "tide");
        service.answers.erase("/pods/p1/json");
        CHECK(service.inspect("web1").value().container->pod == "tide");
    }
    SECTION("and left out when the pod is gone, or makes no sense") {
        const bool gone = GENERATE(true, false);
        if (!gone) service.answers["/pods/p1/json"] = {200, "{"};
        const auto found = service.inspect("web1");
        REQUIRE(found);
        CHECK(found.value().alive);
        CHECK(found.value().container->pod.empty());
        CHECK(found.value().container->pod_id == "p1");
    }
    SECTION("and the client may be closed meanwhile") {
        service.answers["/pods/p1/json"] = {0, ""};
        bool called = false;
        service.client.inspect("web1", [&](const auto&) { called = true; });
        const auto asked = [&] { return service.server.paths.back().ends_with("/pods/p1/json"); };
        REQUIRE(drive(service.loop, asked));
        service.client.close();
        bool turned = false;
        service.loop.post([&] { turned = true; });
        REQUIRE(drive(service.loop, [&] { return turned; }));
        CHECK_FALSE(called);
    }
}

TEST_CASE("a container that Podman does not know, or finds by its name, is not found") {
    Service service;
    service.open();
    CHECK(service.inspect("gone").error().kind == Kind::not_found);
    service.answers["/containers/name/json"] = {200, in_a_pod};
    CHECK(service.inspect("name").error().kind == Kind::not_found);
}

TEST_CASE("a list that Podman can't give is an error, in its words") {
    Service service;
    service.open();
    service.answers["/containers/json"] = {500,
                                           R"({"cause":"x","message":"database is locked","response":500})"};
    CHECK_THAT(service.list().error().message, ContainsSubstring("database is locked"));
    service.answers["/containers/json"] = {200, R"([{"Id":"a")"};
    CHECK(service.list().error().kind == Kind::protocol);
}

TEST_CASE("what is done to containers of Podman is done by libpod's calls, whose words say why it can't be") {
    Service service;
    service.open();
    EngineControl& control = service.client.control();
    using Answer = std::optional<std::optional<EngineError>>;
    const auto ask = [&](const auto& call) {
        Answer answer;
        call([&](std::optional<EngineError> error) { answer = std::move(error); });
        REQUIRE(drive(service.loop, [&] { return answer.has_value(); }));
        return *answer;
    };
    const auto stop = [&](const auto& done) { control.stop("web1", std::chrono::seconds(7), done); };
    const auto kill = [&](const auto& done) { control.kill("web1", 15, done); };
    const auto pause = [&](const auto& done) { control.pause("web1", done); };
    const auto unpause = [&](const auto& done) { control.unpause("web1", done); };
    // As 4.3.1 says it.
    const auto refusal = [](const std::string& words) {
        return std::pair(500, R"({"cause":"container state improper","message":")" + words +
                                  R"(: container state improper","response":500})");
    };
    for (const char* action : {"stop", "kill", "pause", "unpause"})
        service.answers[std::string("/containers/web1/") + action] = {204, ""};
    CHECK_FALSE(ask(stop));
    CHECK(service.posted == std::map<std::string, std::string>{{"timeout", "7"}});
    CHECK_FALSE(ask(kill));
    CHECK(service.posted == std::map<std::string, std::string>{{"signal", "15"}});
    CHECK_FALSE(ask(pause));
    CHECK_FALSE(ask(unpause));

    service.answers["/containers/web1/stop"] = {304, ""};
    CHECK(ask(stop)->kind == Kind::not_alive);
    service.answers["/containers/web1/stop"] =
        refusal("container 12ab is running or paused, refusing to clean up");
    CHECK(ask(stop)->kind == Kind::conflict);
    service.answers["/containers/web1/kill"] =
        refusal("can only kill running containers. 12ab is in state exited");
    CHECK(ask(kill)->kind == Kind::not_alive);
    service.answers["/containers/web1/kill"] =
        refusal("can only kill running containers. 12ab is in state paused");
    CHECK(ask(kill)->kind == Kind::conflict);
    service.answers["/containers/web1/pause"] = refusal(R"(\"exited\" is not running, can't pause)");
    CHECK(ask(pause)->kind == Kind::not_alive);
    service.answers["/containers/web1/pause"] = refusal(R"(\"12ab\" is already paused)");
    CHECK(ask(pause)->kind == Kind::conflict);
    service.answers["/containers/web1/unpause"] = refusal(R"(\"12ab\" is not paused, can't unpause)");
    CHECK(ask(unpause)->kind == Kind::conflict);
    // Later ones have a status for it.
    service.answers["/containers/web1/unpause"] = {409, R"({"message":"not now"})"};
    CHECK(ask(unpause)->kind == Kind::conflict);
    service.answers["/containers/web1/unpause"] = {500, R"({"message":"the disk is full"})"};
    CHECK(ask(unpause)->kind == Kind::engine);
    service.answers.clear();
    CHECK(ask(stop)->kind == Kind::not_found);
    CHECK(ask(pause)->kind == Kind::not_found);
}
