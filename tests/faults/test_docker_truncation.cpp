// The connection breaks after each byte of each answer: an error every time, and never half a truth.
#include <array>
#include <string>

#include <sys/socket.h>
#include <sys/un.h>

#include "tests/faults/docker_fixture.h"

using namespace shorewatch;
using namespace shorewatch::fakes;
using Kind = EngineError::Kind;

namespace {

// What the fake sends for a GET, read up to the given ending.
std::string raw_answer(const FakeDocker& engine, const std::string& target, const std::string& ending) {
    const UniqueFd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    engine.socket().native().copy(address.sun_path, sizeof address.sun_path - 1);
    REQUIRE(::connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
    const std::string request = "GET " + target + " HTTP/1.1\r\nHost: fake\r\n\r\n";
    REQUIRE(::send(fd.get(), request.data(), request.size(), MSG_NOSIGNAL) ==
            static_cast<ssize_t>(request.size()));
    std::string answer;
    std::array<char, 4096> buffer{};
    while (!answer.ends_with(ending)) {
        const ssize_t got = ::recv(fd.get(), buffer.data(), buffer.size(), 0);
        REQUIRE(got > 0);
        answer.append(buffer.data(), static_cast<std::size_t>(got));
    }
    return answer;
}

// A new client, so that it remembers nothing of what earlier ones took.
struct FreshClient {
    explicit FreshClient(DockerFixture& fixture) : client(fixture.loop, fixture.engine.endpoint()) {}

    RecordingObserver observer;
    docker::DockerClient client;
};

bool is_broken_off(const EngineError& error) {
    return error.kind == Kind::protocol || error.kind == Kind::unreachable;
}

}  // namespace

TEST_CASE("an event stream that breaks after any byte has told whole events only") {
    DockerFixture fixture;
    const RealTime before = real_time_now();
    const auto web = fixture.engine.start({.name = "web"});
    fixture.engine.pause(web);
    fixture.engine.die(web, 7);
    const std::string filters = R"(&filters={"type":["container"],"event":["start","die","pause"]})";
    const std::string whole =
        raw_answer(fixture.engine, "/v1.41/events?since=" + to_decimal_seconds(before) + filters, "}\n\r\n");
    // Where each event's last brace is past.
    std::vector<std::size_t> ends;
    for (auto at = whole.find("}\n\r\n"); at != std::string::npos; at = whole.find("}\n\r\n", at + 1)) {
        ends.push_back(at + 1);
    }
    REQUIRE(ends.size() == 3);
    const std::size_t head = whole.find("\r\n\r\n") + 4;
    constexpr std::array stories{"", "started web", "started web, paused web",
                                 "started web, paused web, exited web 7"};

    for (std::size_t length = 0; length < whole.size(); ++length) {
        CAPTURE(length);
        fixture.engine.behave();
        fixture.engine.when(Request::events, {.delivery = {.close_after = length}});
        FreshClient fresh(fixture);
        fresh.client.lifecycle_events(before, fresh.observer);
        REQUIRE(fixture.drive_until([&] { return !fresh.observer.ends.empty(); }));
        const auto whole_events =
            static_cast<std::size_t>(std::ranges::count_if(ends, [&](auto end) { return end <= length; }));
        REQUIRE(fresh.observer.story() == stories.at(whole_events));
        REQUIRE(fresh.observer.ends.size() == 1);
        REQUIRE(fresh.observer.calls.back() == RecordingObserver::Call::stream_end);
        REQUIRE(is_broken_off(fresh.observer.ends[0]));
        REQUIRE(fresh.observer.opens == (length >= head ? 1 : 0));
        REQUIRE(fresh.observer.gaps.empty());
    }
}

TEST_CASE("an inspection that breaks after any byte is an error") {
    DockerFixture fixture;
    fixture.open();
    // Once with a length, once in chunks.
    const auto labels = GENERATE(std::size_t{0}, std::size_t{2000});
    const auto web = fixture.engine.start({.name = "web", .labels = {{"l", std::string(labels, 'x')}}});
    const std::string target = "/v1.41/containers/" + web + "/json";
    const std::string whole = raw_answer(fixture.engine, target, labels == 0 ? "}}\n" : "0\r\n\r\n");
    // Without its last two line ends, an answer in chunks is whole all the same.
    const std::size_t needed = labels == 0 ? whole.size() : whole.size() - 4;
    for (std::size_t length = 0; length < needed; ++length) {
        CAPTURE(length);
        fixture.engine.behave();
        fixture.engine.when(Request::inspect, {.delivery = {.close_after = length}});
        const auto result = fixture.inspect(web);
        REQUIRE_FALSE(result);
        REQUIRE(is_broken_off(result.error()));
    }
    fixture.engine.behave();
    CHECK(fixture.inspect(web).value().alive);
    fixture.pass_a_marker();
}

TEST_CASE("a list that breaks after any byte is an error") {
    DockerFixture fixture;
    fixture.open();
    for (int i = 0; i < 5; ++i)
        fixture.engine.start({.name = "web" + std::to_string(i)});
    const std::string whole = raw_answer(fixture.engine, "/v1.41/containers/json", "]\n");
    for (std::size_t length = 0; length < whole.size(); ++length) {
        CAPTURE(length);
        fixture.engine.behave();
        fixture.engine.when(Request::list, {.delivery = {.close_after = length}});
        const auto result = fixture.list();
        REQUIRE_FALSE(result);
        REQUIRE(is_broken_off(result.error()));
    }
    fixture.engine.behave();
    CHECK(fixture.list().value().size() == 5);
    fixture.pass_a_marker();
}

TEST_CASE("a ping that breaks after any byte is an error") {
    DockerFixture fixture;
    const std::string whole = raw_answer(fixture.engine, "/_ping", "OK");
    for (std::size_t length = 0; length < whole.size(); ++length) {
        CAPTURE(length);
        fixture.engine.behave();
        fixture.engine.when(Request::ping, {.delivery = {.close_after = length}});
        REQUIRE(is_broken_off(fixture.open_in_vain()));
    }
    fixture.engine.behave();
    fixture.open();
}

TEST_CASE("a stream of single bytes that breaks in an event has told those before it") {
    DockerFixture fixture;
    fixture.engine.when(Request::events, {.delivery = {.byte_by_byte = true}});
    fixture.open();
    const auto web = fixture.engine.start({.name = "web"});
    fixture.engine.stream_bytes("200\r\n{\"Type\":\"container\",\"Action\":\"die\",\"Actor\":{\"ID\":\"" +
                                web);
    REQUIRE(fixture.wait_for_events(1));
    fixture.engine.cut_streams();
    CHECK(is_broken_off(fixture.wait_for_end()));
    CHECK(fixture.observer.story() == "started web");
}
