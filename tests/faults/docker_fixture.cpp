#include "tests/faults/docker_fixture.h"

#include <curl/curl.h>

namespace shorewatch::fakes {

namespace {

// libcurl and OpenSSL keep what they opened once for the whole process: no leak of a test.
const bool curl_is_ready = curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK;

}  // namespace

DockerFixture::DockerFixture(FakeDocker::Options engine_options, const docker::DockerOptions& options)
    : engine(std::move(engine_options)), client(loop, engine.endpoint(), options) {
    REQUIRE(curl_is_ready);
    engine.wakes(loop);
}

void DockerFixture::open(std::optional<RealTime> since) {
    const std::size_t opens = observer.opens;
    const std::size_t ends = observer.ends.size();
    client.lifecycle_events(since, observer);
    REQUIRE(drive_until([&] { return observer.opens > opens || observer.ends.size() > ends; }));
    if (observer.ends.size() > ends) FAIL(observer.ends.back().message);
    // The head is sent before the subscription stands, in the fake as in dockerd.
    REQUIRE(drive_until([&] { return engine.has_seen([](const Seen& seen) { return seen.streams == 1; }); }));
}

EngineError DockerFixture::open_in_vain() {
    client.lifecycle_events({}, observer);
    const EngineError error = wait_for_end();
    CHECK(observer.opens == 0);
    return error;
}

EngineError DockerFixture::wait_for_end() {
    const std::size_t before = observer.ends.size();
    REQUIRE(drive_until([&] { return observer.ends.size() > before; }));
    CHECK(observer.ends.size() == before + 1);
    return observer.ends.back();
}

bool DockerFixture::wait_for_events(std::size_t count) {
    return drive_until([&] { return observer.events.size() >= count; });
}

bool DockerFixture::drive_until(const std::function<bool()>& until) {
    return drive(loop, until);
}

Result<std::vector<ContainerPtr>> DockerFixture::list() {
    ListAnswer answer;
    client.list([&](auto result) { answer = std::move(result); });
    REQUIRE(drive_until([&] { return answer.has_value(); }));
    return *answer;
}

Result<Inspection> DockerFixture::inspect(const std::string& id) {
    InspectAnswer answer;
    client.inspect(id, [&](auto result) { answer = std::move(result); });
    REQUIRE(drive_until([&] { return answer.has_value(); }));
    return *answer;
}

void DockerFixture::pass_a_marker() {
    const std::string id = "marker" + std::to_string(++markers_);
    engine.emit({.action = "start", .id = id, .attributes = {{"name", id}}});
    const std::size_t ends = observer.ends.size();
    const auto came = [&] { return !observer.events.empty() && observer.events.back().container->id == id; };
    REQUIRE(drive_until([&] { return came() || observer.ends.size() > ends; }));
    REQUIRE(came());
    observer.events.pop_back();
}

docker::DockerOptions hasty() {
    using std::chrono::milliseconds;
    docker::DockerOptions options;
    options.connect_deadline = milliseconds(100);
    options.head_deadline = milliseconds(100);
    options.ping_deadline = milliseconds(100);
    options.info_deadline = milliseconds(100);
    options.list_deadline = milliseconds(100);
    options.inspect_deadline = milliseconds(100);
    return options;
}

}  // namespace shorewatch::fakes
