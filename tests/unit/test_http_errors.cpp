// What HTTP exchanges fail with: the kind of the error, and words that say what to do.
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <memory>
#include <optional>
#include <string>

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "engines/http/http_client.h"
#include "engines/http/http_error.h"
#include "engines/support/unique_fd.h"
#ifdef SHOREWATCH_TEST_TLS
#include "tests/fakes/certificates.h"
#endif
#include "tests/unit/catch.h"
#include "tests/unit/http_test_server.h"

using namespace shorewatch;
using namespace shorewatch::test;
using namespace std::chrono_literals;
using fakes::drive;
using http::Client;
using http::Exchange;
using Kind = EngineError::Kind;

namespace {

constexpr std::size_t test_limit = 1000;

http::Request asking(std::chrono::milliseconds deadline = fakes::patience) {
    http::Request request;
    request.target = "/";
    request.purpose = "ask it";
    request.deadline = deadline;
    request.body_limit = test_limit;
    return request;
}

http::StreamRequest following(std::chrono::milliseconds head_deadline = fakes::patience) {
    http::StreamRequest request;
    request.target = "/";
    request.purpose = "follow it";
    request.connect_deadline = fakes::patience;
    request.head_deadline = head_deadline;
    return request;
}

// The error of a request, and that of a stream in the same place. Fails the test when there is none.
EngineError request_error(EventLoop& loop, const Endpoint& endpoint,
                          std::chrono::milliseconds deadline = fakes::patience) {
    Client client(loop, endpoint);
    std::optional<Result<http::Response>> result;
    const Exchange exchange =
        client.send(asking(deadline), [&](Result<http::Response> r) { result = std::move(r); });
    REQUIRE(drive(loop, [&] { return result.has_value(); }));
    REQUIRE_FALSE(*result);
    return result->error();
}

struct StreamEnd {
    std::string data;
    EngineError error;
};

StreamEnd stream_end(EventLoop& loop, const Endpoint& endpoint,
                     std::chrono::milliseconds deadline = fakes::patience) {
    Client client(loop, endpoint);
    std::optional<EngineError> error;
    std::string data;
    const Exchange exchange = client.open(
        following(deadline), {[](const auto&...) {}, [&](std::string_view bytes) { data += bytes; },
                              [&](const EngineError& told) { error = told; }});
    REQUIRE(drive(loop, [&] { return error.has_value(); }));
    return {data, *error};
}

void check_error(const EngineError& error, Kind kind, const std::string& words) {
    CHECK(error.kind == kind);
    CHECK_THAT(error.message, Catch::Matchers::ContainsSubstring(words));
}

// The same failure for both sorts of exchange.
void check_both(EventLoop& loop, const Endpoint& endpoint, Kind kind, const std::string& words) {
    const EngineError error = request_error(loop, endpoint);
    check_error(error, kind, words);
    CHECK_THAT(error.message, Catch::Matchers::StartsWith("cannot ask it at " + endpoint.url() + ": "));
    check_error(stream_end(loop, endpoint).error, kind, words);
}

TestServer::Handler saying(std::string bytes) {
    return [said = std::move(bytes)](const HttpConnectionPtr& connection, const HttpRequest&) {
        answer_raw(connection, said);
    };
}

EngineError error_after(const std::string& bytes) {
    EventLoop loop;
    const TestServer server(loop, saying(bytes));
    return request_error(loop, server.endpoint());
}

// A socket in the place of listener's, of which nobody accepts.
UniqueFd lone_socket(const fakes::Listener& listener, int type) {
    UniqueFd fd(socket(AF_UNIX, type | SOCK_CLOEXEC, 0));
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    listener.endpoint().socket_path.copy(address.sun_path, sizeof address.sun_path - 1);
    std::filesystem::remove(listener.socket());
    REQUIRE(bind(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
    return fd;
}

// The rights of an ordinary user, for as long as it lives.
class OrdinaryUser {
  public:
    OrdinaryUser() {
        if (geteuid() == 0) REQUIRE(seteuid(65534) == 0);
    }
    ~OrdinaryUser() {
        if (getuid() == 0 && seteuid(0) != 0) std::abort();
    }
    OrdinaryUser(const OrdinaryUser&) = delete;
    OrdinaryUser& operator=(const OrdinaryUser&) = delete;
};

}  // namespace

TEST_CASE("no connection to a unix socket: the error says what is in its place and what to do") {
    EventLoop loop;
    fakes::Listener listener(Endpoint::Transport::unix_socket);
    const Endpoint& endpoint = listener.endpoint();
    const auto check = [&](const std::string& words) {
        check_both(loop, endpoint, Kind::unreachable, words);
    };

    check("there is no such socket; is the engine running?");
    std::filesystem::create_directory(listener.socket());
    check("there is a folder, not a socket");
    std::filesystem::remove(listener.socket());
    std::ofstream(listener.socket()) << "text";
    check("there is a file, not a socket");
    {
        const UniqueFd deaf = lone_socket(listener, SOCK_STREAM);
        check("nothing listens on it; is the engine running?");
    }
    {
        const UniqueFd datagrams = lone_socket(listener, SOCK_DGRAM);
        check("there is a socket of another type");
    }
    {
        const UniqueFd busy = lone_socket(listener, SOCK_STREAM);
        REQUIRE(listen(busy.get(), 0) == 0);
        Client first(loop, endpoint);  // takes the one place in the queue
        const Exchange waits = first.send(asking(), [](const auto&) {});
        check("its queue of connections is full");
    }
    const UniqueFd guarded = listener.open();
    std::filesystem::permissions(listener.socket(), std::filesystem::perms::none);
    std::filesystem::permissions(listener.socket().parent_path(), std::filesystem::perms::all);
    const OrdinaryUser ordinary;
    check("permission denied; shorewatchd must be allowed to open it");
}

TEST_CASE("no connection over TCP: the error says why") {
    EventLoop loop;
    Endpoint endpoint;
    {
        fakes::Listener listener(Endpoint::Transport::tcp);
        const UniqueFd fd = listener.open();
        endpoint = listener.endpoint();
    }
    check_both(loop, endpoint, Kind::unreachable,
               "connection refused; is the engine running, and listening there?");
    endpoint.host = "no.such.host.invalid";
    check_both(loop, endpoint, Kind::unreachable, "no.such.host.invalid");
}

TEST_CASE("who does not answer in time is told apart from who is not there") {
    EventLoop loop;
    const TestServer silent(loop, [](const auto&...) {});
    check_error(request_error(loop, silent.endpoint(), 50ms), Kind::timeout, "no answer within 0.05 s");
    check_error(stream_end(loop, silent.endpoint(), 50ms).error, Kind::timeout, "no answer within 0.05 s");
    // Bytes alone are no answer.
    const TestServer chatty(loop, [](const HttpConnectionPtr& connection, const HttpRequest&) {
        connection->write("HTTP/1.1 500 No\r\nContent-Length: 100\r\n\r\nhalf");
    });
    check_error(request_error(loop, chatty.endpoint(), 50ms), Kind::timeout, "no answer within 0.05 s");
    check_error(stream_end(loop, chatty.endpoint(), 50ms).error, Kind::engine, "HTTP 500: half");
}

TEST_CASE("a stream that stands has no deadline") {
    EventLoop loop;
    HttpConnectionPtr stream;
    const TestServer server(loop, [&](const HttpConnectionPtr& connection, const HttpRequest&) {
        stream = connection;
        connection->write(stream_head);
    });
    Client client(loop, server.endpoint());
    bool open = false;
    bool ended = false;
    bool late = false;
    std::string data;
    const Exchange exchange = client.open(following(20ms), {[&](const auto&...) { open = true; },
                                                            [&](std::string_view bytes) { data += bytes; },
                                                            [&](const EngineError&) { ended = true; }});
    Timer after_deadline(loop, [&] { late = true; });
    after_deadline.arm_after(100ms);
    REQUIRE(drive(loop, [&] { return late; }));
    CHECK(open);
    CHECK_FALSE(ended);
    stream->write(fakes::chunk("still here"));
    REQUIRE(drive(loop, [&] { return data == "still here"; }));
    stream.reset();
}

TEST_CASE("a body beyond the limit is refused, announced or not") {
    const std::string fits(test_limit, 'x');
    for (const auto framing :
         {fakes::Framing::content_length, fakes::Framing::chunks, fakes::Framing::until_close}) {
        check_error(error_after(fakes::status_line(200) + fakes::framed(fits + "x", framing)), Kind::protocol,
                    "the answer is larger than 1000 bytes");
        EventLoop loop;
        const TestServer server(loop, saying(fakes::status_line(200) + fakes::framed(fits, framing)));
        Client client(loop, server.endpoint());
        std::string body;
        const Exchange exchange =
            client.send(asking(), [&](const Result<http::Response>& result) { body = result.value().body; });
        REQUIRE(drive(loop, [&] { return !body.empty(); }));
        CHECK(body == fits);
    }
    check_error(error_after("HTTP/1.1 200 OK\r\nContent-Length: 18446744073709551615\r\n\r\n"),
                Kind::protocol, "");
}

TEST_CASE("an answer that is no HTTP, or not all of it, is an error of the protocol") {
    check_error(error_after(""), Kind::protocol, "the connection was closed without an answer");
    check_error(error_after("SSH-2.0-OpenSSH\r\n"), Kind::protocol, "does not speak HTTP");
    check_error(error_after("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf"), Kind::protocol,
                "the answer broke off");
    check_error(error_after(stream_head + "5\r\nab"), Kind::protocol, "the answer broke off");
    check_error(error_after(stream_head + "xyz\r\nab"), Kind::protocol, "the answer is garbled");
    check_error(error_after("HTTP/1.1 200 OK\r\nX-Long: " + std::string(300'000, 'x')), Kind::protocol, "");
    std::string headers = "HTTP/1.1 200 OK\r\n";
    // More than 5,000 are too many for libcurl 8.
    for (int i = 0; i < 4'000; ++i)
        headers += "X-Header: " + std::string(70, 'x') + "\r\n";
    check_error(error_after(headers + "\r\n"), Kind::protocol, "headers are too large");
}

TEST_CASE("a stream that breaks off has brought what came before") {
    EventLoop loop;
    const TestServer server(loop, saying(stream_head + fakes::chunk("first") + "10\r\nhalf"));
    const StreamEnd broken = stream_end(loop, server.endpoint());
    CHECK(broken.data == "firsthalf");
    check_error(broken.error, Kind::unreachable, "the connection broke off");
    const TestServer nonsense(loop, saying(stream_head + fakes::chunk("first") + "zz\r\n"));
    const StreamEnd wrong = stream_end(loop, nonsense.endpoint());
    CHECK(wrong.data == "first");
    check_error(wrong.error, Kind::protocol, "cannot follow it at " + nonsense.endpoint().url());
}

TEST_CASE("a refusal is told in the engine's words") {
    const auto refusal = [](int status, const std::string& body) {
        EventLoop loop;
        const TestServer server(loop, [&](const HttpConnectionPtr& connection, const HttpRequest&) {
            answer(connection, status, body);
        });
        return stream_end(loop, server.endpoint()).error;
    };
    check_error(refusal(400, R"({"message":"client version 1.52 is too new"})"), Kind::engine,
                ": HTTP 400: client version 1.52 is too new");
    check_error(refusal(404, R"({"cause":"x","message":"no such container","response":404})"),
                Kind::not_found, ": HTTP 404: no such container");
    check_error(refusal(502, "<html>\nBad Gateway\x1b[31m\n"), Kind::engine,
                R"(HTTP 502: <html>\nBad Gateway\x1b[31m)");
    CHECK_THAT(refusal(500, "").message, Catch::Matchers::EndsWith(": HTTP 500"));
    CHECK(refusal(500, std::string(60'000, 'x')).message.size() < 700);
    check_error(refusal(500, std::string(200'000, 'x')), Kind::engine, "HTTP 500: xxx");
    CHECK_THAT(refusal(500, std::string(499, 'x') + "\xC3\xA4").message, Catch::Matchers::EndsWith("x…"));
}

TEST_CASE("durations are told in seconds") {
    CHECK(http::in_seconds(10s) == "10 s");
    CHECK(http::in_seconds(250ms) == "0.25 s");
    CHECK(http::in_seconds(1005ms) == "1.005 s");
}

#ifdef SHOREWATCH_TEST_TLS

namespace {

struct TlsServer {
    explicit TlsServer(EventLoop& loop, const fakes::ServerCertificate& files)
        : channels(fakes::make_tls_factory(files)),
          server(loop, {[](const HttpConnectionPtr& connection, const HttpRequest&) {
                            answer(connection, 200, "hello");
                        },
                        [] {}}) {
        signal(SIGPIPE, SIG_IGN);  // The fake's OpenSSL writes to whoever has hung up.
        server.listen(listener.open(), *channels);
        endpoint = listener.endpoint();
        endpoint.transport = Endpoint::Transport::tls;
    }

    fakes::Listener listener{Endpoint::Transport::tcp};
    std::unique_ptr<fakes::ChannelFactory> channels;
    fakes::HttpServer server;
    Endpoint endpoint;
};

std::string body_from(EventLoop& loop, const Endpoint& endpoint) {
    Client client(loop, endpoint);
    std::optional<Result<http::Response>> result;
    const Exchange exchange = client.send(asking(), [&](Result<http::Response> r) { result = std::move(r); });
    REQUIRE(drive(loop, [&] { return result.has_value(); }));
    return *result ? result->value().body : result->error().message;
}

}  // namespace

TEST_CASE("over TLS, the server's certificate and name are verified") {
    EventLoop loop;
    fakes::Authority authority;
    const fakes::Authority other;
    const auto [certificate, key] = authority.issue("127.0.0.1");
    const auto [expired, expired_key] = authority.issue("127.0.0.1", -1h);
    const auto [foreign, foreign_key] = authority.issue("elsewhere.example");
    TlsServer server(loop, {certificate, key, {}});
    server.endpoint.tls.ca = authority.file();
    CHECK(body_from(loop, server.endpoint) == "hello");

    server.endpoint.tls.ca = other.file();
    check_both(loop, server.endpoint, Kind::unreachable, "");
    server.endpoint.tls.ca.clear();  // the system's authorities don't know it
    check_both(loop, server.endpoint, Kind::unreachable,
               "its certificate is refused: SSL certificate problem");
    server.endpoint.tls.ca = "/no/such/file";
    check_both(loop, server.endpoint, Kind::unreachable, "/no/such/file");

    TlsServer late(loop, {expired, expired_key, {}});
    late.endpoint.tls.ca = authority.file();
    check_both(loop, late.endpoint, Kind::unreachable, "certificate has expired");
    TlsServer stranger(loop, {foreign, foreign_key, {}});
    stranger.endpoint.tls.ca = authority.file();
    check_both(loop, stranger.endpoint, Kind::unreachable, "127.0.0.1");
}

TEST_CASE("over TLS, a server that wants our certificate gets it") {
    EventLoop loop;
    fakes::Authority authority;
    const auto [certificate, key] = authority.issue("127.0.0.1");
    const auto [own, own_key] = authority.issue("client.example");
    TlsServer server(loop, {certificate, key, authority.file()});
    server.endpoint.tls.ca = authority.file();
    CHECK(request_error(loop, server.endpoint).kind == Kind::unreachable);
    server.endpoint.tls.certificate = own;
    server.endpoint.tls.key = own_key;
    CHECK(body_from(loop, server.endpoint) == "hello");
    server.endpoint.tls.key = key;  // of another certificate
    check_both(loop, server.endpoint, Kind::unreachable, "cannot use the TLS files");
}

TEST_CASE("a server that does not speak TLS is found out") {
    EventLoop loop;
    const TestServer plain(loop, [](const auto&...) {}, Endpoint::Transport::tcp);
    Endpoint endpoint = plain.endpoint();
    endpoint.transport = Endpoint::Transport::tls;
    CHECK(request_error(loop, endpoint).kind == Kind::unreachable);
}

#endif
