// An engine that sends garbage without end: it costs its own connection and little memory, and nobody else
// notices.
#include <algorithm>
#include <fstream>
#include <string>

#include "tests/faults/docker_fixture.h"
#include "tests/faults/flood.h"

using namespace shorewatch;
using namespace shorewatch::fakes;

namespace {

constexpr std::size_t mib = std::size_t{1024} * 1024;
const std::string head = "HTTP/1.1 200 OK\r\nApi-Version: 1.41\r\n\r\n";

// A sanitizer takes its time, and keeps what was freed.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool is_sanitized = true;
#elif defined(__has_feature)
constexpr bool is_sanitized = __has_feature(address_sanitizer) || __has_feature(thread_sanitizer);
#else
constexpr bool is_sanitized = false;
#endif
constexpr std::size_t flood_size = is_sanitized ? 64 * mib : 1024 * mib;

// Memory of this process that is in no file, in bytes (proc(5), status, RssAnon).
std::size_t memory_in_use() {
    std::ifstream file("/proc/self/status");
    std::string key;
    while (file >> key) {
        std::size_t kib = 0;
        if (key == "RssAnon:" && file >> kib) return kib * 1024;
    }
    return 0;
}

// An event that is none, with so much in it.
std::string filler(std::size_t size) {
    return R"({"Type":"filler","blob":")" + std::string(size, 'x') + "\"}\n";
}

struct Garbage {
    std::string what;
    Flood::Plan plan;
    bool is_taken = false;  // to its end, as it does no harm
};

}  // namespace

TEST_CASE("garbage without end costs the engine its connection, less than 32 MiB, and others nothing") {
    const auto garbage = GENERATE(
        Garbage{"headers", {"_ping", "HTTP/1.1 200 OK\r\n", "X-Filler: " + std::string(1000, 'x') + "\r\n"}},
        Garbage{"a greeting", {"_ping", head, std::string(mib, 'x')}},
        Garbage{"what is no JSON", {"/events", head, std::string(mib, '\xFF')}},
        Garbage{"brackets", {"/events", head, std::string(mib, '[')}, true},
        Garbage{"one event", {"/events", head + "{\"a\":\"", std::string(mib, 'x')}, true},
        Garbage{"large events", {"/events", head, filler(mib)}, true},
        Garbage{"too large events", {"/events", head, filler(16 * mib)}, true},
        Garbage{"white space", {"/events", head, std::string(mib, ' ')}, true});
    CAPTURE(garbage.what);
    DockerFixture neighbour;
    neighbour.open();
    Flood::Plan plan = garbage.plan;
    plan.most = flood_size;
    Flood flood(std::move(plan));
    RecordingObserver observer;
    docker::DockerClient client(neighbour.loop, flood.endpoint());
    const std::size_t before = memory_in_use();
    std::size_t most = before;
    client.lifecycle_events({}, observer);
    // On the same loop, in the midst of it.
    REQUIRE(neighbour.drive_until([&] { return flood.sent() > 0 || !observer.ends.empty(); }));
    neighbour.engine.start({.name = "undisturbed"});
    REQUIRE(neighbour.drive_until([&] {
        most = std::max(most, memory_in_use());
        return !observer.ends.empty();
    }));
    REQUIRE(neighbour.wait_for_events(1));
    CHECK(neighbour.observer.story() == "started undisturbed");
    CHECK(neighbour.observer.ends.empty());
    CHECK(observer.ends.size() == 1);
    CHECK(observer.events.empty());
    CHECK((flood.sent() >= flood_size) == garbage.is_taken);
    if (!is_sanitized) CHECK(most - before < 32 * mib);
}
