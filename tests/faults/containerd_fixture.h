// A ContainerdClient and the fake engine it talks to, on the test's own thread.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "engines/containerd/containerd_client.h"
#include "engines/support/event_loop.h"
#include "tests/fakes/drive.h"
#include "tests/fakes/fake_containerd.h"
#include "tests/fakes/recording_observer.h"
#include "tests/unit/catch.h"

namespace shorewatch::fakes {

class ContainerdFixture {
  public:
    explicit ContainerdFixture(containerd::ContainerdOptions options = {});

    // Opens the event stream and waits until it stands; fails the test when it doesn't.
    void open();
    // Opens the event stream, which must not succeed: what it says in the end.
    [[nodiscard]] EngineError open_in_vain();
    // The end of the stream that is open.
    [[nodiscard]] EngineError wait_for_end();
    [[nodiscard]] bool wait_for_events(std::size_t count);
    [[nodiscard]] bool drive_until(const std::function<bool()>& until);

    // Ask and wait for the answer.
    [[nodiscard]] Result<std::vector<ContainerPtr>> list();
    [[nodiscard]] Result<Inspection> inspect(const std::string& id);

    EventLoop loop;
    FakeContainerd engine;
    RecordingObserver observer;
    std::unique_ptr<containerd::ContainerdClient> client;
};

}  // namespace shorewatch::fakes
