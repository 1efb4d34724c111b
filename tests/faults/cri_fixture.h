// A CriClient and the runtime it talks to, on the test's own thread.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "engines/cri/cri_client.h"
#include "engines/support/event_loop.h"
#include "tests/fakes/drive.h"
#include "tests/fakes/fake_crio.h"
#include "tests/fakes/recording_observer.h"
#include "tests/unit/catch.h"

namespace shorewatch::fakes {

struct CriFixture {
    explicit CriFixture(std::string runtime_name = "cri-o",
                        cri::CriClient::MakeContainerd make_containerd = {})
        : engine(std::move(runtime_name)),
          client(std::make_unique<cri::CriClient>(loop, engine.endpoint(), std::move(make_containerd))) {}

    [[nodiscard]] bool drive_until(const std::function<bool()>& until) { return drive(loop, until); }

    // Opens the event stream and waits until it stands; fails the test when it doesn't.
    void open() {
        client->lifecycle_events({}, observer);
        REQUIRE(drive_until([&] { return observer.opens > 0 || !observer.ends.empty(); }));
        if (!observer.ends.empty()) FAIL(observer.ends.back().message);
        // As with CRI-O, the answer that opened the stream may have overtaken the call for it.
        REQUIRE(engine.wait_for_readers(1));
    }
    // Opens the event stream, or has it open already: what it says in the end.
    [[nodiscard]] EngineError end_of_stream(bool open_it = true) {
        if (open_it) client->lifecycle_events({}, observer);
        REQUIRE(drive_until([&] { return !observer.ends.empty(); }));
        return observer.ends.back();
    }
    // Ask and wait for the answer.
    [[nodiscard]] Result<std::vector<ContainerPtr>> list() {
        std::optional<Result<std::vector<ContainerPtr>>> answer;
        client->list([&](auto result) { answer = std::move(result); });
        REQUIRE(drive_until([&] { return answer.has_value(); }));
        return *answer;
    }
    [[nodiscard]] Result<Inspection> inspect(const std::string& id) {
        std::optional<Result<Inspection>> answer;
        client->inspect(id, [&](auto result) { answer = std::move(result); });
        REQUIRE(drive_until([&] { return answer.has_value(); }));
        return *answer;
    }

    EventLoop loop;
    FakeCrio engine;
    RecordingObserver observer;
    std::unique_ptr<cri::CriClient> client;
};

[[nodiscard]] inline bool contains(const std::string& text, std::string_view part) {
    return text.find(part) != std::string::npos;
}

}  // namespace shorewatch::fakes
