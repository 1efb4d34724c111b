// Finding a Docker engine, or saying why there is none.
#include <algorithm>
#include <cstdint>
#include <fstream>
#include <iomanip>
#include <sstream>
#include <string>
#include <vector>

#include <unistd.h>

#include "tests/faults/docker_fixture.h"

using namespace shorewatch;
using namespace shorewatch::fakes;
using Catch::Matchers::ContainsSubstring;
using Kind = EngineError::Kind;

namespace {

FakeDocker::Options speaking(ApiMinor oldest, ApiMinor newest) {
    FakeDocker::Options options;
    options.facts.oldest_api = oldest;
    options.facts.newest_api = newest;
    return options;
}

std::string pong(const std::string& headers) {
    return "HTTP/1.1 200 OK\r\n" + headers + "Content-Length: 2\r\n\r\nOK";
}

// Whatever was wrong: once it is right, the same client can watch.
void check_it_works_now(DockerFixture& fixture) {
    fixture.engine.behave();
    fixture.observer = {};
    fixture.open();
    fixture.pass_a_marker();
}

// The timer of each connection of ours to that port of this machine, as /proc/net/tcp has it: 2 is keepalive.
std::vector<unsigned> timers_of_connections_to(std::uint16_t port) {
    std::ostringstream wanted;
    wanted << "0100007F:" << std::uppercase << std::hex << std::setw(4) << std::setfill('0') << port;
    std::vector<unsigned> timers;
    std::ifstream lines("/proc/net/tcp");
    std::string line;
    while (std::getline(lines, line)) {
        std::istringstream words(line);
        std::string number, local, remote, state, queues, timer;
        words >> number >> local >> remote >> state >> queues >> timer;
        constexpr const char* established = "01";
        if (remote == wanted.str() && state == established)
            timers.push_back(static_cast<unsigned>(std::stoul(timer.substr(0, 2), nullptr, 16)));
    }
    return timers;
}

}  // namespace

TEST_CASE("an engine is spoken to in the newest version that both know") {
    const auto [newest, spoken] = GENERATE(table<ApiMinor, std::string>(
        {{24, "1.24"}, {25, "1.25"}, {40, "1.40"}, {41, "1.41"}, {44, "1.44"}, {51, "1.51"}, {52, "1.52"}}));
    CAPTURE(newest);
    DockerFixture fixture(speaking(24, newest));
    const auto web = fixture.engine.start({.name = "web"});
    fixture.open();
    CHECK(fixture.list().value().size() == 1);
    CHECK(fixture.inspect(web).value().alive);
    CHECK(fixture.engine.seen().apis() == std::set<std::string>{spoken});
}

TEST_CASE("an engine newer than we know is spoken to in the newest version we know") {
    DockerFixture fixture(speaking(44, 99));
    fixture.open();
    CHECK(fixture.list());
    CHECK(fixture.engine.seen().apis() == std::set<std::string>{"1.52"});
}

TEST_CASE("an engine that no longer speaks what we know is refused in its own words") {
    DockerFixture fixture(speaking(60, 99));
    const EngineError error = fixture.open_in_vain();
    CHECK(error.kind == Kind::engine);
    CHECK_THAT(error.message,
               ContainsSubstring("client version 1.52 is too old. Minimum supported API version is 1.60"));
}

TEST_CASE("an engine that is replaced by another version is asked again what it speaks") {
    DockerFixture fixture(speaking(12, 41));
    fixture.open();
    fixture.engine.kill_engine();
    static_cast<void>(fixture.wait_for_end());
    fixture.engine.set_facts({.version = "29.0.0", .newest_api = 52, .oldest_api = 44});
    fixture.engine.come_back();
    check_it_works_now(fixture);
    CHECK(fixture.engine.seen().last(Request::events)->api == "1.52");
}

TEST_CASE("an engine that doesn't say what it speaks is spoken to in 1.24") {
    DockerFixture fixture;
    fixture.engine.when(Request::ping, {.raw = pong("")});
    fixture.open();
    CHECK(fixture.engine.seen().apis() == std::set<std::string>{"1.24"});
}

TEST_CASE("what answers like no Docker engine is refused, and says what it said") {
    DockerFixture fixture;
    SECTION("a version that is none") {
        const auto told = GENERATE(as<std::string>{}, "latest", "1", "1.", ".41", "1.41.2", "-1.41",
                                   "1.4294967296", "1.41 \x1b[31m");
        CAPTURE(told);
        fixture.engine.when(Request::ping, {.raw = pong("Api-Version: " + told + "\r\n")});
        const EngineError error = fixture.open_in_vain();
        CHECK(error.kind == Kind::protocol);
        CHECK_THAT(error.message, ContainsSubstring(told.substr(0, 4)) && !ContainsSubstring("\x1b"));
    }
    SECTION("Podman") {
        fixture.engine.when(Request::ping,
                            {.raw = pong("Api-Version: 1.41\r\nLibpod-Api-Version: 4.3.1\r\n")});
        const EngineError error = fixture.open_in_vain();
        CHECK(error.kind == Kind::engine);
        CHECK_THAT(error.message, ContainsSubstring("Podman 4.3.1"));
    }
    SECTION("an error") {
        const auto status = GENERATE(301, 400, 403, 404, 500, 503);
        fixture.engine.when(Request::ping, {.status = status, .message = "not \x1b[31mtoday"});
        const EngineError error = fixture.open_in_vain();
        CHECK(error.kind == Kind::engine);
        CHECK_THAT(error.message,
                   ContainsSubstring("HTTP " + std::to_string(status) + ": not \\x1b[31mtoday"));
    }
    check_it_works_now(fixture);
}

TEST_CASE("what does not speak HTTP is named so") {
    const auto [name, bytes] = GENERATE(table<std::string, std::string>(
        {{"text", "hello\r\n"},
         {"SSH", "SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n"},
         {"TLS", std::string("\x15\x03\x01\x00\x02\x02\x46", 7)},
         {"NULs", std::string(1000, '\0')},
         {"HTTP/2", std::string("\0\0\x12\x04\0\0\0\0\0\0\x03\0\0\0\x64", 15)},
         {"a status that is none", "HTTP/1.1 OK fine\r\n\r\n"},
         {"a status line without end", "HTTP/1.1 200 " + std::string(300'000, 'x')},
         {"a header without end", "HTTP/1.1 200 OK\r\nX: " + std::string(300'000, 'x')}}));
    CAPTURE(name);
    DockerFixture fixture;
    const auto kind = GENERATE(Request::ping, Request::events);
    fixture.engine.when(kind, {.raw = bytes});
    CHECK(fixture.open_in_vain().kind == Kind::protocol);
    check_it_works_now(fixture);
}

TEST_CASE("an engine says who it is, and that is told before or after the stream stands") {
    SECTION("on a unix socket, with its pid and its user") {
        DockerFixture fixture;
        fixture.open();
        CHECK(fixture.list());
        const EngineIdentity whole{EngineFacts{}.id, "20.10.24", static_cast<std::uint32_t>(::getpid()),
                                   ::geteuid()};
        CHECK(fixture.drive_until([&] { return fixture.observer.identities.back() == whole; }));
    }
    SECTION("over TCP, where its pid says nothing") {
        DockerFixture fixture({.transport = FakeDocker::Transport::tcp});
        fixture.open();
        REQUIRE(fixture.drive_until([&] { return !fixture.observer.identities.empty(); }));
        CHECK(fixture.observer.identities.back() == EngineIdentity{EngineFacts{}.id, "20.10.24", 0});
    }
}

TEST_CASE("an engine that can't tell about itself is watched all the same") {
    const auto transport = GENERATE(FakeDocker::Transport::unix_socket, FakeDocker::Transport::tcp);
    DockerFixture fixture({.transport = transport}, hasty());
    SECTION("it never answers") {
        fixture.engine.when(Request::info, {.never_answer = true});
    }
    SECTION("it refuses") {
        fixture.engine.when(Request::info, {.status = 500, .message = "no"});
    }
    SECTION("it answers nonsense") {
        fixture.engine.when(Request::info, {.body = "[1,2"});
    }
    SECTION("it closes the connection") {
        fixture.engine.when(Request::info, {.delivery = {.close_after = 0}});
    }
    fixture.open();
    CHECK(fixture.list());
    REQUIRE(fixture.drive_until([&] {
        return fixture.engine.has_seen([](const Seen& seen) { return seen.count(Request::info) > 0; });
    }));
    fixture.pass_a_marker();
}

TEST_CASE("an engine is asked about itself once its containers are known") {
    constexpr int containers = 20;
    DockerFixture fixture;
    std::vector<std::string> ids;
    for (int number = 0; number < containers; ++number)
        ids.push_back(fixture.engine.start({.name = "c" + std::to_string(number)}));
    fixture.open();
    int inspected = 0;
    fixture.client.list([&](const auto& list) {
        REQUIRE(list);
        for (const std::string& id : ids)
            fixture.client.inspect(id, [&](const auto&) { ++inspected; });
    });
    REQUIRE(fixture.drive_until([&] {
        return inspected == containers && !fixture.observer.identities.empty() &&
               !fixture.observer.identities.back().id.empty();
    }));
    const std::vector<SeenRequest> requests = fixture.engine.seen().requests;
    const auto kind = [](const SeenRequest& request) { return request.kind; };
    const auto info = std::ranges::find(requests, Request::info, kind);
    // The last may be under way.
    CHECK(std::ranges::count(requests.begin(), info, Request::inspect, kind) >
          containers - static_cast<int>(docker::DockerOptions{}.parallel));
    CHECK(std::ranges::count(requests, Request::info, kind) == 1);
    // Its version is in the answer to the ping already.
    CHECK(fixture.observer.identities.front().version == EngineFacts{}.version);
}

TEST_CASE("a Server header that tells no version is no identity") {
    const std::string header =
        GENERATE("Docker", "Docker/", "Docker/\x01\x02", "Docker/1;0", "Docker/é (linux)");
    CAPTURE(header);
    DockerFixture fixture;
    fixture.engine.when(Request::ping, {.raw = pong("Api-Version: 1.41\r\nServer: " + header + "\r\n")});
    fixture.open();
    REQUIRE_FALSE(fixture.observer.identities.empty());
    CHECK(fixture.observer.identities.front().version.empty());
}

TEST_CASE("an engine that is not there is unreachable, and the error says what is in its place") {
    DockerFixture fixture;
    const std::string socket = fixture.engine.socket();
    std::string why;
    SECTION("no socket") {
        fixture.engine.shut_down();
        why = "there is no such socket";
    }
    SECTION("no folder") {
        fixture.engine.shut_down();
        std::filesystem::remove(fixture.engine.socket().parent_path());
        why = "there is no such socket";
    }
    SECTION("a socket that nobody listens on") {
        fixture.engine.kill_engine();
        why = "nothing listens";
    }
    SECTION("a folder") {
        fixture.engine.put_folder_in_place();
        why = "there is a folder, not a socket";
    }
    SECTION("a file") {
        fixture.engine.shut_down();
        std::ofstream(socket) << "text";
        why = "there is a file, not a socket";
    }
    const EngineError error = fixture.open_in_vain();
    CHECK(error.kind == Kind::unreachable);
    CHECK_THAT(error.message, ContainsSubstring("unix://" + socket) && ContainsSubstring(why));
    std::filesystem::create_directories(fixture.engine.socket().parent_path());
    fixture.engine.come_back();
    check_it_works_now(fixture);
}

TEST_CASE("a socket that may not be opened is named so") {
    DockerFixture fixture;
    fixture.engine.set_socket_mode(std::filesystem::perms::none);
    if (::access(fixture.engine.socket().c_str(), W_OK) == 0) {
        WARN("this user may open everything: not tested");
        return;
    }
    const EngineError error = fixture.open_in_vain();
    CHECK(error.kind == Kind::unreachable);
    CHECK_THAT(error.message, ContainsSubstring("permission denied"));
    fixture.engine.set_socket_mode(std::filesystem::perms::owner_all);
    check_it_works_now(fixture);
}

TEST_CASE("a TCP port that nobody listens on is named so") {
    DockerFixture fixture({.transport = FakeDocker::Transport::tcp});
    fixture.engine.kill_engine();
    const EngineError error = fixture.open_in_vain();
    CHECK(error.kind == Kind::unreachable);
    CHECK_THAT(error.message,
               ContainsSubstring(fixture.engine.endpoint().url()) && ContainsSubstring("refused"));
    fixture.engine.come_back();
    check_it_works_now(fixture);
}

TEST_CASE("the kernel looks after a connection over TCP on which nothing happens") {
    DockerFixture fixture({.transport = FakeDocker::Transport::tcp});
    fixture.open();
    const auto timers = timers_of_connections_to(fixture.engine.endpoint().port);
    REQUIRE_FALSE(timers.empty());
    constexpr unsigned keepalive = 2;
    for (const unsigned timer : timers)
        CHECK(timer == keepalive);
}

TEST_CASE("an engine that accepts and never answers is given up after a while") {
    DockerFixture fixture({}, hasty());
    SECTION("it is stopped") {
        fixture.engine.freeze();
    }
    SECTION("it leaves the ping lying") {
        fixture.engine.when(Request::ping, {.never_answer = true});
    }
    SECTION("it leaves the events lying") {
        fixture.engine.when(Request::events, {.never_answer = true});
    }
    SECTION("it begins to answer") {
        fixture.engine.when(Request::ping, {.framing = Framing::content_length_too_large});
    }
    const EngineError error = fixture.open_in_vain();
    CHECK(error.kind == Kind::timeout);
    CHECK_THAT(error.message, ContainsSubstring("0.1 s"));
    fixture.engine.thaw();
    DockerFixture patient;
    check_it_works_now(patient);
}

TEST_CASE("a refusal of the event stream is the engine's word") {
    DockerFixture fixture;
    const auto status = GENERATE(301, 400, 403, 404, 500, 503);
    fixture.engine.when(Request::events, {.status = status, .message = "no events here"});
    const EngineError error = fixture.open_in_vain();
    CHECK(error.kind == Kind::engine);
    CHECK_THAT(error.message, ContainsSubstring("HTTP " + std::to_string(status) + ": no events here"));
    check_it_works_now(fixture);
}

TEST_CASE("requests without an event stream are answered by an error") {
    DockerFixture fixture;
    const auto check = [&] {
        const auto list = fixture.list();
        REQUIRE_FALSE(list);
        CHECK(list.error().kind == Kind::unreachable);
        const auto inspection = fixture.inspect(std::string(64, 'a'));
        REQUIRE_FALSE(inspection);
        CHECK(inspection.error().kind == Kind::unreachable);
    };
    check();
    fixture.open();
    fixture.engine.kill_engine();
    static_cast<void>(fixture.wait_for_end());
    check();
    CHECK(fixture.engine.seen().count(Request::list) == 0);
}
