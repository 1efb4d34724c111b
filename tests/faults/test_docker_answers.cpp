// Answers that are wrong in form: each is an error of its request, and of nothing else.
#include <string>

#include "tests/faults/docker_fixture.h"

using namespace shorewatch;
using namespace shorewatch::fakes;
using Catch::Matchers::ContainsSubstring;
using Kind = EngineError::Kind;

namespace {

// Lists and inspects under a behaviour that must make both fail with this kind; then all is well again.
void check_both_fail(DockerFixture& fixture, const Behaviour& behaviour, Kind kind) {
    fixture.open();
    const auto web = fixture.engine.start({.name = "web"});
    fixture.engine.when(Request::list, behaviour);
    fixture.engine.when(Request::inspect, behaviour);
    const auto list = fixture.list();
    REQUIRE_FALSE(list);
    CHECK(list.error().kind == kind);
    CHECK_THAT(list.error().message, ContainsSubstring("cannot list containers at unix:///"));
    const auto inspection = fixture.inspect(web);
    REQUIRE_FALSE(inspection);
    CHECK(inspection.error().kind == kind);
    CHECK_THAT(inspection.error().message,
               ContainsSubstring("cannot inspect container " + web.substr(0, 12) + " at unix:///"));
    CHECK(inspection.error().message.size() < 1000);
    fixture.engine.behave();
    CHECK(fixture.list().value().size() == 1);
    CHECK(fixture.inspect(web).value().alive);
    fixture.pass_a_marker();
}

}  // namespace

TEST_CASE("a body that is not what was asked for is an error") {
    const auto body =
        GENERATE(as<std::string>{}, "", " ", "null", "true", "42", "\"text\"", "{", "[", "{}x", "[]]",
                 "[{\"Id\":\"x\"},", "{\"Id\":", "<html>", "nul", "{'Id':1}", "\xEF\xBB\xBF{}", "[}",
                 "{\"a\":1,}", "[1,]", "// comment\n{}", "{\"Id\":NaN}");
    CAPTURE(body);
    DockerFixture fixture;
    check_both_fail(fixture, {.body = body}, Kind::protocol);
}

TEST_CASE("a raw NUL or control character in JSON is an error") {
    const auto byte = GENERATE('\0', '\x01', '\n');
    DockerFixture fixture;
    const auto spoil = [byte](std::string body) { return body.insert(body.find("busybox") + 3, 1, byte); };
    check_both_fail(fixture, {.edit = spoil}, Kind::protocol);
}

TEST_CASE("an object where a list should be, and the other way round") {
    DockerFixture fixture;
    fixture.open();
    const auto web = fixture.engine.start({.name = "web"});
    fixture.engine.when(Request::list, {.body = "{}"});
    fixture.engine.when(Request::inspect, {.body = "[]"});
    CHECK(fixture.list().error().kind == Kind::protocol);
    CHECK(fixture.inspect(web).error().kind == Kind::protocol);
    fixture.pass_a_marker();
}

TEST_CASE("a body whose end is told wrong is an error") {
    DockerFixture fixture({}, hasty());
    SECTION("a chunk size that is none") {
        check_both_fail(fixture, {.framing = Framing::bad_chunk_size}, Kind::protocol);
    }
    SECTION("more announced than sent") {
        check_both_fail(fixture, {.framing = Framing::content_length_too_large}, Kind::timeout);
    }
}

TEST_CASE("what is no HTTP is an error") {
    const auto bytes = GENERATE(as<std::string>{}, "hello\r\n\r\n", "HTTP/1.1 abc\r\n\r\n", "\x15\x03\x01",
                                "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n{}",
                                "HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999\r\n\r\n{}",
                                "HTTP/1.1 200 OK\r\nContent-Length: 18446744073709551615\r\n\r\n{}",
                                "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{}",
                                "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{}\r\n0\r\n\r\n");
    CAPTURE(bytes);
    DockerFixture fixture;
    check_both_fail(fixture, {.raw = bytes}, Kind::protocol);
}

TEST_CASE("headers without end are an error, not a hunger for memory") {
    std::string many = "HTTP/1.1 200 OK\r\n";
    for (int i = 0; i < 7'000; ++i)
        many += "X-Header-" + std::to_string(i) + ": nothing\r\n";
    const auto head = GENERATE_COPY(as<std::string>{}, many,
                                    "HTTP/1.1 200 OK\r\nX: " + std::string(1U << 20U, 'x') + "\r\n");
    DockerFixture fixture;
    check_both_fail(fixture, {.raw = head + "\r\n{}"}, Kind::protocol);
}

TEST_CASE("a connection that is closed instead of an answer is an error") {
    DockerFixture fixture;
    check_both_fail(fixture, {.delivery = {.close_after = 0}}, Kind::protocol);
}

TEST_CASE("a connection that is closed once is no error: the request is sent again") {
    DockerFixture fixture;
    fixture.open();
    const auto web = fixture.engine.start({.name = "web"});
    REQUIRE(fixture.inspect(web));
    // What it says of itself then comes on the connection that is to be used again.
    REQUIRE(fixture.drive_until([&] { return !fixture.observer.identities.back().id.empty(); }));
    fixture.engine.when(Request::inspect, {.nth = 1, .delivery = {.close_after = 0}});
    CHECK(fixture.inspect(web));
}

TEST_CASE("larger answers than the limits are errors") {
    docker::DockerOptions small;
    small.list_limit = 100'000;
    small.inspect_limit = 100'000;
    const auto framing = GENERATE(Framing::content_length, Framing::chunks, Framing::until_close);
    DockerFixture fixture({}, small);
    check_both_fail(fixture, {.body = std::string(100'001, ' ') + "[]", .framing = framing}, Kind::protocol);
}

TEST_CASE("answers as large as the limits allow are taken") {
    DockerFixture fixture;
    fixture.open();
    const std::size_t many = 2000;
    for (std::size_t i = 0; i < many; ++i) {
        fixture.engine.start({.labels = {{"blob", std::string(10'000, 'x')}}}, Tell::never);
    }
    CHECK(fixture.list().value().size() == many);
}

TEST_CASE("all framings and the slowest sender bring the same answer") {
    const auto framing = GENERATE(Framing::content_length, Framing::chunks, Framing::until_close);
    const auto byte_by_byte = GENERATE(false, true);
    DockerFixture fixture;
    fixture.engine.when(Request::ping, {.framing = framing, .delivery = {.byte_by_byte = byte_by_byte}});
    fixture.engine.when(Request::events, {.delivery = {.byte_by_byte = byte_by_byte}});
    const Behaviour behaviour{.framing = framing, .delivery = {.byte_by_byte = byte_by_byte}};
    fixture.engine.when(Request::list, behaviour);
    fixture.engine.when(Request::inspect, behaviour);
    fixture.open();
    const auto web = fixture.engine.start({.name = "web"});
    CHECK(fixture.list().value().size() == 1);
    CHECK(fixture.inspect(web).value().container->name == "web");
    REQUIRE(fixture.wait_for_events(1));
    CHECK(fixture.observer.story() == "started web");
}
