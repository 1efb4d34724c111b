// Engines behind TLS: who is trusted, and what is said of who is not.
#include <chrono>

#include "tests/fakes/certificates.h"
#include "tests/faults/docker_fixture.h"

using namespace shorewatch;
using namespace shorewatch::fakes;
using Catch::Matchers::ContainsSubstring;
using Kind = EngineError::Kind;

namespace {

TlsFiles trusting(const std::string& ca) {
    return {ca, {}, {}};
}

// Authorities, an engine with a certificate, and a client that trusts a file.
struct Tls {
    LeakCheck leaks;
    Authority authority;
    EventLoop loop;
    RecordingObserver observer;

    [[nodiscard]] static FakeDocker::Options with(const CertificateFiles& files,
                                                  const std::string& client_ca = {}) {
        FakeDocker::Options options;
        options.transport = FakeDocker::Transport::tcp;
        options.tls = ServerCertificate{files.certificate, files.key, client_ca};
        return options;
    }

    // Opens a stream and takes one event, or returns why not.
    std::optional<EngineError> watch(FakeDocker& engine, const TlsFiles& files) {
        Endpoint endpoint = engine.endpoint();
        endpoint.tls = files;
        engine.wakes(loop);
        observer = {};
        docker::DockerClient client(loop, endpoint);
        client.lifecycle_events({}, observer);
        REQUIRE(drive(loop, [&] { return observer.opens > 0 || !observer.ends.empty(); }));
        if (!observer.ends.empty()) return observer.ends[0];
        const auto web = engine.start({.name = "web"});
        bool inspected = false;
        client.inspect(web, [&](const auto& result) { inspected = bool(result); });
        REQUIRE(drive(loop, [&] { return inspected && observer.events.size() == 1; }));
        return std::nullopt;
    }
};

}  // namespace

TEST_CASE("an engine whose certificate is good is watched") {
    Tls tls;
    FakeDocker engine(Tls::with(tls.authority.issue("127.0.0.1")));
    CHECK_FALSE(tls.watch(engine, trusting(tls.authority.file())));
    CHECK_THAT(engine.endpoint().url(), Catch::Matchers::StartsWith("https://127.0.0.1:"));
}

TEST_CASE("an engine whose certificate is not good is unreachable, and the error says why") {
    Tls tls;
    const auto refused = [&](const CertificateFiles& files, const std::string& ca, const std::string& why) {
        FakeDocker engine(Tls::with(files));
        const auto error = tls.watch(engine, trusting(ca));
        REQUIRE(error);
        CHECK(error->kind == Kind::unreachable);
        CHECK_THAT(error->message, ContainsSubstring(engine.endpoint().url()) &&
                                       ContainsSubstring(why, Catch::CaseSensitive::No));
        CHECK(engine.seen().requests.empty());
    };
    SECTION("expired") {
        refused(tls.authority.issue("127.0.0.1", -std::chrono::hours(1)), tls.authority.file(), "expired");
    }
    SECTION("of another host") {
        refused(tls.authority.issue("example.org"), tls.authority.file(), "127.0.0.1");
    }
    SECTION("of another address") {
        refused(tls.authority.issue("127.0.0.2"), tls.authority.file(), "127.0.0.1");
    }
    SECTION("signed by somebody else") {
        const Authority other;
        refused(tls.authority.issue("127.0.0.1"), other.file(), "certificate");
    }
    SECTION("signed by nobody whom the system knows") {
        refused(tls.authority.issue("127.0.0.1"), "", "certificate");
    }
    SECTION("a file of authorities that is none") {
        refused(tls.authority.issue("127.0.0.1"), "/dev/null", "/dev/null");
    }
    SECTION("a file of authorities that is not there") {
        refused(tls.authority.issue("127.0.0.1"), "/nonexistent/ca.pem", "/nonexistent/ca.pem");
    }
}

TEST_CASE("an engine that wants to know its clients is shown our certificate") {
    Tls tls;
    FakeDocker engine(Tls::with(tls.authority.issue("127.0.0.1"), tls.authority.file()));
    const auto ours = tls.authority.issue("client");
    const auto error = tls.watch(engine, {tls.authority.file(), ours.certificate, ours.key});
    INFO((error ? error->message : ""));
    CHECK_FALSE(error);
}

TEST_CASE("an engine that wants to know its clients refuses strangers, and that is told") {
    Tls tls;
    FakeDocker engine(Tls::with(tls.authority.issue("127.0.0.1"), tls.authority.file()));
    const auto check = [&](const TlsFiles& files) {
        const auto error = tls.watch(engine, files);
        REQUIRE(error);
        CHECK(error->kind == Kind::unreachable);
        CHECK_THAT(error->message, ContainsSubstring(engine.endpoint().url()));
        CHECK(engine.seen().requests.empty());
    };
    SECTION("without a certificate") {
        check(trusting(tls.authority.file()));
    }
    SECTION("with somebody else's") {
        Authority other;
        const auto theirs = other.issue("client");
        check({tls.authority.file(), theirs.certificate, theirs.key});
    }
    SECTION("with a key that is not the certificate's") {
        const auto ours = tls.authority.issue("client");
        check({tls.authority.file(), ours.certificate, tls.authority.issue("client").key});
    }
    SECTION("with a key that is not there") {
        const auto ours = tls.authority.issue("client");
        check({tls.authority.file(), ours.certificate, "/nonexistent/key.pem"});
    }
}

TEST_CASE("TLS and plain HTTP don't meet, and that is told") {
    Tls tls;
    SECTION("the engine speaks plain HTTP") {
        FakeDocker engine({.transport = FakeDocker::Transport::tcp});
        Endpoint endpoint = engine.endpoint();
        endpoint.transport = Endpoint::Transport::tls;
        docker::DockerClient client(tls.loop, endpoint);
        client.lifecycle_events({}, tls.observer);
        REQUIRE(drive(tls.loop, [&] { return !tls.observer.ends.empty(); }));
        CHECK(tls.observer.ends[0].kind == Kind::unreachable);
    }
    SECTION("the engine speaks TLS") {
        FakeDocker engine(Tls::with(tls.authority.issue("127.0.0.1")));
        Endpoint endpoint = engine.endpoint();
        endpoint.transport = Endpoint::Transport::tcp;
        docker::DockerClient client(tls.loop, endpoint);
        client.lifecycle_events({}, tls.observer);
        REQUIRE(drive(tls.loop, [&] { return !tls.observer.ends.empty(); }));
        CHECK(tls.observer.ends[0].kind != Kind::timeout);
    }
}
