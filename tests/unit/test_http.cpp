// The HTTP client: what goes out when, whom it calls back, and what can be destroyed where.
#include <algorithm>
#include <cstdlib>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include <unistd.h>

#include "engines/http/http_client.h"
#include "tests/fakes/leak_check.h"
#include "tests/unit/catch.h"
#include "tests/unit/http_test_server.h"

using namespace shorewatch;
using namespace shorewatch::test;
using fakes::drive;
using http::Client;
using http::Exchange;
using Kind = EngineError::Kind;
using ResponseResult = Result<http::Response>;

namespace {

http::Request request(const std::string& target) {
    http::Request result;
    result.target = target;
    result.purpose = "ask";
    result.deadline = fakes::patience;
    return result;
}

http::StreamRequest stream_request(const std::string& target) {
    http::StreamRequest result;
    result.target = target;
    result.purpose = "follow";
    result.connect_deadline = fakes::patience;
    result.head_deadline = fakes::patience;
    return result;
}

// All that a stream's handlers were called with.
struct StreamLog {
    std::optional<http::Head> head;
    Peer peer;
    std::string data;
    std::optional<EngineError> error;

    http::StreamHandlers handlers() {
        return {[this](const http::Head& told, const Peer& who) {
                    head = told;
                    peer = who;
                },
                [this](std::string_view bytes) { data += bytes; },
                [this](const EngineError& told) { error = told; }};
    }
};

void echo(const HttpConnectionPtr& connection, const HttpRequest& asked) {
    answer(connection, 200, "you asked for " + asked.path);
}

}  // namespace

TEST_CASE("a request brings status, headers and body, never within the call that sends it") {
    const fakes::LeakCheck leaks;
    EventLoop loop;
    TestServer server(loop, [](const auto& connection, const auto& asked) {
        CHECK(asked.method == "GET");
        CHECK(asked.parameter("q") == "a b");
        CHECK(asked.headers.at("host") == "localhost");
        CHECK(asked.headers.at("accept") == "application/json");
        connection->write("HTTP/1.1 100 Continue\r\nX-Early: 1\r\n\r\n");
        connection->write("HTTP/1.1 404 Not Found\r\nX-Case: Some \r\nContent-Length: 4\r\n\r\nbody");
        connection->end_response();
    });
    Client client(loop, server.endpoint());
    std::optional<ResponseResult> result;
    const Exchange exchange =
        client.send(request("/path?q=a%20b"), [&](ResponseResult r) { result = std::move(r); });
    CHECK_FALSE(result);
    REQUIRE(drive(loop, [&] { return result.has_value(); }));
    REQUIRE(*result);
    const http::Response& response = result->value();
    CHECK(response.head.status == 404);
    REQUIRE(response.head.find("x-case") != nullptr);
    CHECK(*response.head.find("x-case") == "Some");
    CHECK(response.head.find("x-early") == nullptr);
    CHECK(response.body == "body");
    CHECK(server.paths == std::vector<std::string>{"/path"});
}

TEST_CASE("requests are sent in their order, so many at a time and no more, over connections that are kept") {
    EventLoop loop;
    const std::size_t limit = GENERATE(1U, 3U, 8U);
    std::vector<HttpConnectionPtr> held;
    std::size_t answered = 0;
    TestServer server(loop, [&](const auto& connection, const auto&) { held.push_back(connection); });
    Client client(loop, server.endpoint(), limit);
    std::vector<Exchange> exchanges;
    std::vector<std::string> expected;
    for (int i = 0; i < 40; ++i) {
        expected.push_back("/" + std::to_string(i));
        exchanges.push_back(client.send(request(expected.back()), [&](const ResponseResult& r) {
            CHECK(r);
            ++answered;
        }));
    }
    while (answered < 40) {
        const std::size_t together = std::min(limit, 40 - answered);
        REQUIRE(drive(loop, [&] { return held.size() == together; }));
        for (const auto& connection : std::exchange(held, {}))
            answer(connection, 200, "");
        REQUIRE(drive(loop, [&] { return held.size() == std::min(limit, 40 - answered); }));
    }
    CHECK(server.most_connections == limit);
    // Requests that are under way together may overtake each other.
    std::ranges::sort(server.paths);
    std::ranges::sort(expected);
    CHECK(server.paths == expected);
}

TEST_CASE("with one request at a time they arrive in the order they were sent") {
    EventLoop loop;
    TestServer server(loop, echo);
    Client client(loop, server.endpoint(), 1);
    std::vector<Exchange> exchanges;
    std::vector<std::string> sent;
    std::vector<std::string> told;
    for (int i = 0; i < 20; ++i) {
        sent.push_back("/" + std::to_string(i));
        exchanges.push_back(client.send(request(sent.back()), [&](const ResponseResult& r) {
            told.push_back(r.value().body.substr(std::string("you asked for ").size()));
        }));
    }
    REQUIRE(drive(loop, [&] { return told.size() == sent.size(); }));
    CHECK(server.paths == sent);
    CHECK(told == sent);
}

TEST_CASE("a stream has a connection of its own and does not count among the requests") {
    const fakes::LeakCheck leaks;
    EventLoop loop;
    HttpConnectionPtr streaming;
    TestServer server(loop, [&](const auto& connection, const auto& asked) {
        if (asked.path != "/events") return echo(connection, asked);
        streaming = connection;
        connection->write(stream_head);
    });
    Client client(loop, server.endpoint(), 1);
    StreamLog log;
    std::size_t answered = 0;
    const auto count = [&](const ResponseResult& r) { answered += r ? 1U : 0U; };
    const Exchange before = client.send(request("/1"), count);
    REQUIRE(drive(loop, [&] { return answered == 1; }));
    const Exchange stream = client.open(stream_request("/events"), log.handlers());
    CHECK_FALSE(log.head);
    REQUIRE(drive(loop, [&] { return log.head.has_value(); }));
    CHECK(log.head->status == 200);
    CHECK(log.peer.pid == static_cast<std::uint32_t>(getpid()));
    CHECK(log.peer.uid == geteuid());
    const Exchange during = client.send(request("/2"), count);
    REQUIRE(drive(loop, [&] { return answered == 2; }));
    CHECK(server.most_connections == 2);

    streaming->write(fakes::chunk("one") + fakes::chunk("two"));
    REQUIRE(drive(loop, [&] { return log.data == "onetwo"; }));
    CHECK_FALSE(log.error);
    streaming->write("0\r\n\r\n");
    REQUIRE(drive(loop, [&] { return log.error.has_value(); }));
    CHECK(log.error->kind == Kind::unreachable);
    CHECK_THAT(log.error->message, Catch::Matchers::ContainsSubstring("the engine ended the stream"));
    streaming.reset();
}

TEST_CASE("a stream whose head comes with the first data is open before, if the client is told so") {
    EventLoop loop;
    HttpConnectionPtr streaming;
    TestServer server(loop, [&](const auto& connection, const auto&) { streaming = connection; });
    Client client(loop, server.endpoint());
    StreamLog log;
    http::StreamRequest request = stream_request("/events");
    request.late_head = std::chrono::milliseconds(1);
    const Exchange stream = client.open(std::move(request), log.handlers());
    // It may be open before the server has read what was asked.
    REQUIRE(drive(loop, [&] { return log.head.has_value() && streaming != nullptr; }));
    CHECK(log.head->status == 0);
    CHECK(log.peer.pid == static_cast<std::uint32_t>(getpid()));
    CHECK(log.peer.uid == geteuid());
    log.head.reset();

    SECTION("the head is then no second opening") {
        streaming->write(stream_head + fakes::chunk("one"));
        REQUIRE(drive(loop, [&] { return log.data == "one"; }));
        CHECK_FALSE(log.head);
        CHECK_FALSE(log.error);
    }
    SECTION("a refusal ends it") {
        test::answer(streaming, 500, R"({"message":"no journal"})");
        REQUIRE(drive(loop, [&] { return log.error.has_value(); }));
        CHECK(log.error->kind == Kind::engine);
        CHECK_THAT(log.error->message, Catch::Matchers::ContainsSubstring("no journal"));
    }
    SECTION("the end of the connection ends it") {
        streaming->close_when_sent();
        REQUIRE(drive(loop, [&] { return log.error.has_value(); }));
        CHECK(log.error->kind == Kind::unreachable);
    }
    CHECK_FALSE(log.head);
    streaming.reset();
}

TEST_CASE("a flood arrives whole and in order") {
    EventLoop loop;
    std::string flood;
    for (int i = 0; flood.size() < 5'000'000; ++i)
        flood += std::to_string(i) + "\n";
    TestServer server(loop, [&](const auto& connection, const auto& asked) {
        if (asked.path == "/events") {
            connection->write(stream_head + fakes::chunk(flood));
        } else {
            connection->write(fakes::status_line(200) + fakes::framed(flood, fakes::Framing::chunks));
            connection->end_response();
        }
    });
    Client client(loop, server.endpoint());
    StreamLog log;
    std::optional<ResponseResult> result;
    http::Request big = request("/list");
    big.body_limit = flood.size();
    const Exchange stream = client.open(stream_request("/events"), log.handlers());
    const Exchange list = client.send(big, [&](ResponseResult r) { result = std::move(r); });
    REQUIRE(drive(loop, [&] { return log.data.size() == flood.size() && result; }));
    CHECK(log.data == flood);
    REQUIRE(*result);
    CHECK(result->value().body == flood);
}

TEST_CASE("destroying an exchange ends it without a callback, and lets the next one go") {
    const fakes::LeakCheck leaks;
    EventLoop loop;
    HttpConnectionPtr held;
    TestServer server(loop, [&](const auto& connection, const auto& asked) {
        if (asked.path == "/hang" || asked.path == "/events") {
            held = connection;
        } else {
            echo(connection, asked);
        }
    });
    Client client(loop, server.endpoint(), 1);
    const auto never = [](const ResponseResult&) { FAIL("called back"); };
    bool answered = false;
    Exchange hangs = client.send(request("/hang"), never);
    Exchange unsent = client.send(request("/unsent"), never);
    const Exchange waits = client.send(request("/waits"), [&](const ResponseResult&) { answered = true; });
    REQUIRE(drive(loop, [&] { return held != nullptr; }));
    unsent.reset();
    hangs.reset();
    REQUIRE(drive(loop, [&] { return answered && held->closed(); }));
    CHECK(server.paths == std::vector<std::string>{"/hang", "/waits"});

    StreamLog log;
    held.reset();
    Exchange stream = client.open(stream_request("/events"), log.handlers());
    REQUIRE(drive(loop, [&] { return held != nullptr; }));
    stream = Exchange();
    REQUIRE(drive(loop, [&] { return held->closed(); }));
    CHECK_FALSE(log.head);
    CHECK_FALSE(log.error);
    held.reset();
}

TEST_CASE("a callback may destroy its own exchange, all others, and the client") {
    const fakes::LeakCheck leaks;
    EventLoop loop;
    HttpConnectionPtr held;
    TestServer server(loop, [&](const auto& connection, const auto& asked) {
        if (asked.path == "/events") {
            connection->write(stream_head + fakes::chunk("data"));
        } else if (asked.path == "/hang") {
            held = connection;
        } else {
            answer(connection, asked.path == "/404" ? 404 : 200, "some words");
        }
    });
    auto client = std::make_unique<Client>(loop, server.endpoint(), 2);
    std::vector<Exchange> exchanges;
    int calls = 0;
    const bool with_client = GENERATE(false, true);
    const auto destroy = [&](const std::string& payload) {
        const std::string kept = payload;
        ++calls;
        if (with_client) client.reset();
        exchanges.clear();
        CHECK(kept == payload);  // what was passed is still there
    };
    const auto never = [](const auto&...) { FAIL("called back"); };

    SECTION("when a request is answered") {
        exchanges.push_back(client->send(request("/hang"), never));
        exchanges.push_back(
            client->send(request("/a"), [&](const ResponseResult& r) { destroy(r.value().body); }));
        exchanges.push_back(client->send(request("/waiting"), never));
        exchanges.push_back(client->open(stream_request("/hang"), {never, never, never}));
    }
    SECTION("when a request fails") {
        http::Request small = request("/a");
        small.body_limit = 1;
        exchanges.push_back(client->send(request("/hang"), never));
        exchanges.push_back(
            client->send(small, [&](const ResponseResult& r) { destroy(r.error().message); }));
    }
    SECTION("when a stream opens") {
        exchanges.push_back(
            client->open(stream_request("/events"),
                         {[&](const http::Head& head, const Peer&) { destroy(head.headers.at(0).second); },
                          never, never}));
    }
    SECTION("when a stream brings data") {
        exchanges.push_back(client->open(
            stream_request("/events"),
            {[](const auto&...) {}, [&](std::string_view data) { destroy(std::string(data)); }, never}));
    }
    SECTION("when a stream ends") {
        exchanges.push_back(
            client->open(stream_request("/404"),
                         {never, never, [&](const EngineError& error) { destroy(error.message); }}));
    }
    REQUIRE(drive(loop, [&] { return calls == 1; }));
    // Whatever was under way is over: the server sees the connections go.
    if (!client) REQUIRE(drive(loop, [&] { return server.server().connections() == 0; }));
    held.reset();
}

TEST_CASE("exchanges may outlive their client, and start anew from a callback") {
    const fakes::LeakCheck leaks;
    EventLoop loop;
    TestServer server(loop, echo);
    auto client = std::make_unique<Client>(loop, server.endpoint());
    int answers = 0;
    Exchange second;
    Exchange first = client->send(request("/1"), [&](const ResponseResult&) {
        ++answers;
        second = client->send(request("/2"), [&](const ResponseResult&) { ++answers; });
    });
    REQUIRE(drive(loop, [&] { return answers == 2; }));
    Exchange third = client->send(request("/3"), [](const ResponseResult&) { FAIL("called back"); });
    Exchange stream = client->open(stream_request("/4"), {});
    client.reset();
    first.reset();
    third = std::move(second);
    REQUIRE(drive(loop, [&] { return server.server().connections() == 0; }));
}

TEST_CASE("an exception that leaves a callback ends the loop's run, and nothing else is lost") {
    EventLoop loop;
    TestServer server(loop, echo);
    Client client(loop, server.endpoint());
    int answers = 0;
    std::vector<Exchange> exchanges;
    for (int i = 0; i < 5; ++i) {
        exchanges.push_back(client.send(request("/"), [&](const ResponseResult&) {
            ++answers;
            throw std::runtime_error("from a callback");
        }));
    }
    for (int i = 1; i <= 5; ++i) {
        CHECK_THROWS_WITH(drive(loop, [] { return false; }), "from a callback");
        CHECK(answers == i);
    }
}

TEST_CASE("no proxy is taken from the environment, no redirect is followed") {
    EventLoop loop;
    TestServer server(
        loop,
        [](const auto& connection, const auto&) {
            connection->write("HTTP/1.1 302 Found\r\nLocation: /elsewhere\r\nContent-Length: 0\r\n\r\n");
            connection->end_response();
        },
        Endpoint::Transport::tcp);
    setenv("http_proxy", "http://127.0.0.1:1", 1);
    setenv("ALL_PROXY", "http://127.0.0.1:1", 1);
    Client client(loop, server.endpoint());
    std::optional<int> status;
    StreamLog log;
    const Exchange exchange = client.send(
        request("/a/../b"), [&](const ResponseResult& r) { status = r ? r.value().head.status : 0; });
    const Exchange stream = client.open(stream_request("/s"), log.handlers());
    REQUIRE(drive(loop, [&] { return status && log.error; }));
    unsetenv("http_proxy");
    unsetenv("ALL_PROXY");
    CHECK(status == 302);
    CHECK_FALSE(log.head);
    CHECK(log.peer.pid == 0);
    CHECK_FALSE(log.peer.uid);
    std::ranges::sort(server.paths);
    CHECK(server.paths == std::vector<std::string>{"/a/../b", "/s"});
}

TEST_CASE("a kept connection that has died meanwhile is replaced") {
    EventLoop loop;
    TestServer server(loop, echo);
    Client client(loop, server.endpoint());
    int answers = 0;
    const auto count = [&](const ResponseResult& r) { answers += r ? 1 : 0; };
    const Exchange first = client.send(request("/1"), count);
    REQUIRE(drive(loop, [&] { return answers == 1; }));
    server.server().close_connections();
    const Exchange second = client.send(request("/2"), count);
    REQUIRE(drive(loop, [&] { return answers == 2; }));
}

TEST_CASE("what has a connection of its own is sent once, and leaves none behind") {
    EventLoop loop;
    std::vector<std::string> methods;
    TestServer server(loop, [&](const HttpConnectionPtr& connection, const HttpRequest& asked) {
        methods.push_back(asked.method);
        asked.path == "/lost" ? connection->close() : answer(connection, 204, "");
    });
    Client client(loop, server.endpoint());
    std::optional<ResponseResult> answered;
    const auto ask = [&](const std::string& path, bool alone) {
        answered.reset();
        http::Request asked = request(path);
        asked.method = alone ? http::Method::post : http::Method::get;
        asked.own_connection = alone;
        const Exchange exchange = client.send(asked, [&](const ResponseResult& r) { answered = r; });
        REQUIRE(drive(loop, [&] { return answered.has_value(); }));
    };
    ask("/kept", false);
    ask("/alone", true);
    CHECK(answered->value().head.status == 204);
    ask("/lost", true);
    CHECK_FALSE(*answered);
    REQUIRE(drive(loop, [&] { return server.server().connections() == 1; }));
    ask("/kept", false);
    CHECK(server.most_connections == 2);
    CHECK(methods == std::vector<std::string>{"GET", "POST", "POST", "GET"});
}

TEST_CASE("what goes into a URL is encoded") {
    CHECK(http::url_encoded("aZ09-._~") == "aZ09-._~");
    CHECK(http::url_encoded("/?#%& \xC3\xA4\n") == "%2F%3F%23%25%26%20%C3%A4%0A");
    CHECK(http::url_encoded("").empty());
}
