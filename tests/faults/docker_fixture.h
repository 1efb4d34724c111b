// A DockerClient and the fake engine it talks to, on the test's own thread.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "engines/docker/docker_client.h"
#include "engines/support/event_loop.h"
#include "tests/fakes/fake_docker.h"
#include "tests/fakes/leak_check.h"
#include "tests/fakes/recording_observer.h"
#include "tests/unit/catch.h"

namespace shorewatch::fakes {

// What a request came to; empty until it was answered.
using ListAnswer = std::optional<Result<std::vector<ContainerPtr>>>;
using InspectAnswer = std::optional<Result<Inspection>>;

class DockerFixture {
  public:
    explicit DockerFixture(FakeDocker::Options engine_options = {},
                           const docker::DockerOptions& options = {});

    // Opens the event stream and waits until it stands; fails the test when it doesn't.
    void open(std::optional<RealTime> since = {});
    // Opens the event stream, which must not succeed: what it says in the end.
    [[nodiscard]] EngineError open_in_vain();
    // The end of the stream that is open.
    [[nodiscard]] EngineError wait_for_end();
    // Runs the loop until the observer has been told of so many events, in all.
    [[nodiscard]] bool wait_for_events(std::size_t count);
    [[nodiscard]] bool drive_until(const std::function<bool()>& until);

    // Ask and wait for the answer.
    [[nodiscard]] Result<std::vector<ContainerPtr>> list();
    [[nodiscard]] Result<Inspection> inspect(const std::string& id);

    // Makes an event of no container and waits until it has come, and forgets it: the stream is alive, and
    // all events from before have been told.
    void pass_a_marker();

    // First, so that it looks last.
    LeakCheck leaks;
    EventLoop loop;
    FakeDocker engine;
    RecordingObserver observer;
    docker::DockerClient client;

  private:
    unsigned markers_ = 0;
};

// Short deadlines, for tests in which they must pass.
[[nodiscard]] docker::DockerOptions hasty();

}  // namespace shorewatch::fakes
