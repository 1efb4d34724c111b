#include "tests/faults/containerd_fixture.h"

#include <utility>

namespace shorewatch::fakes {

ContainerdFixture::ContainerdFixture(containerd::ContainerdOptions options)
    : client(std::make_unique<containerd::ContainerdClient>(loop, engine.endpoint(), std::move(options))) {}

void ContainerdFixture::open() {
    const std::size_t opens = observer.opens;
    const std::size_t ends = observer.ends.size();
    client->lifecycle_events({}, observer);
    REQUIRE(drive_until([&] { return observer.opens > opens || observer.ends.size() > ends; }));
    if (observer.ends.size() > ends) FAIL(observer.ends.back().message);
}

EngineError ContainerdFixture::open_in_vain() {
    const std::size_t opens = observer.opens;
    client->lifecycle_events({}, observer);
    const EngineError error = wait_for_end();
    CHECK(observer.opens == opens);
    return error;
}

EngineError ContainerdFixture::wait_for_end() {
    const std::size_t before = observer.ends.size();
    REQUIRE(drive_until([&] { return observer.ends.size() > before; }));
    CHECK(observer.ends.size() == before + 1);
    return observer.ends.back();
}

bool ContainerdFixture::wait_for_events(std::size_t count) {
    return drive_until([&] { return observer.events.size() >= count; });
}

bool ContainerdFixture::drive_until(const std::function<bool()>& until) {
    return drive(loop, until);
}

Result<std::vector<ContainerPtr>> ContainerdFixture::list() {
    std::optional<Result<std::vector<ContainerPtr>>> answer;
    client->list([&](auto result) { answer = std::move(result); });
    REQUIRE(drive_until([&] { return answer.has_value(); }));
    return *answer;
}

Result<Inspection> ContainerdFixture::inspect(const std::string& id) {
    std::optional<Result<Inspection>> answer;
    client->inspect(id, [&](auto result) { answer = std::move(result); });
    REQUIRE(drive_until([&] { return answer.has_value(); }));
    return *answer;
}

}  // namespace shorewatch::fakes
