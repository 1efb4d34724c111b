// Which runtimes are followed how; and the runtime interface as containerd serves it, beside containerd's own
// client.
#include <algorithm>
#include <string>
#include <utility>

#include "tests/faults/cri_fixture.h"

using namespace shorewatch;
using namespace shorewatch::fakes;
using Kind = EngineError::Kind;

namespace {

// Containerd's own client, played: the test says what it says.
class OwnClient final : public EngineClient, private EngineControl {
  public:
    explicit OwnClient(OwnClient*& place) { place = this; }

    [[nodiscard]] std::string_view type() const override { return "containerd.io"; }
    [[nodiscard]] std::string api() const override { return "unix:///played"; }
    void lifecycle_events(std::optional<RealTime>, LifecycleObserver& its_observer) override {
        observer = &its_observer;
    }
    void list(ListReply reply) override { list_reply = std::move(reply); }
    void inspect(const std::string& id, InspectReply reply) override {
        inspected = id;
        inspect_reply = std::move(reply);
    }
    [[nodiscard]] EngineControl& control() override { return *this; }
    void close() override {
        observer = nullptr;
        ++closed;
    }

    void pause(const std::string&, Done) override {}
    void unpause(const std::string&, Done) override {}
    void kill(const std::string&, int, Done) override {}
    void stop(const std::string& id, std::chrono::seconds timeout, Done reply) override {
        stopped = id + " " + std::to_string(timeout.count());
        stop_reply = std::move(reply);
    }
    void inspect_json(const std::string& id, TextReply reply) override {
        inspected = id;
        json_reply = std::move(reply);
    }

    std::string stopped;
    Done stop_reply;
    TextReply json_reply;
    LifecycleObserver* observer = nullptr;
    ListReply list_reply;
    std::string inspected;
    InspectReply inspect_reply;
    int closed = 0;
};

struct OnContainerd : CriFixture {
    OnContainerd()
        : CriFixture("containerd", [this](EventLoop&, const Endpoint&) {
              ++made;
              return std::make_unique<OwnClient>(own);
          }) {}

    void open_own() {
        client->lifecycle_events({}, observer);
        REQUIRE(drive_until([&] { return own != nullptr && own->observer != nullptr; }));
        own->observer->on_stream_open();
        REQUIRE(observer.opens > 0);
    }

    OwnClient* own = nullptr;
    int made = 0;
};

std::shared_ptr<Container> alive(const std::string& id, std::uint32_t pid, bool sandbox = false) {
    auto container = std::make_shared<Container>();
    container->id = container->name = id;
    container->name_space = "k8s.io";
    container->pid = pid;
    container->sandbox = sandbox;
    std::vector<Labels::Entry> labels;
    labels.emplace_back("io.cri-containerd.kind", sandbox ? "sandbox" : "container");
    container->labels = std::make_shared<const Labels>(std::move(labels));
    return container;
}

}  // namespace

TEST_CASE("of containerd the interface's events are never read, which would take them from the kubelet") {
    OnContainerd fixture;
    fixture.open_own();
    ContainerEvent event{ContainerEvent::Type::started, alive("k8s.io/c1", 0), real_time_now(), {}};
    fixture.own->observer->on_event(event);
    event.type = ContainerEvent::Type::renamed;
    fixture.own->observer->on_event(event);
    event.type = ContainerEvent::Type::exited;
    event.exit_code = 3;
    fixture.own->observer->on_event(event);
    REQUIRE(fixture.observer.events.size() == 2);
    CHECK(fixture.observer.events[0].container->id == "c1");
    CHECK(fixture.observer.events[1].exit_code == 3);
    CHECK(fixture.engine.calls("GetContainerEvents") == 0);
}

TEST_CASE("how containers are is containerd's word, and who they are the interface's") {
    OnContainerd fixture;
    fixture.engine.put(FakeCrio::Pod{.id = "p1", .name = "db-0", .name_space = "prod"});
    fixture.engine.put(FakeCrio::Container{.id = "c1", .pod = "p1", .name = "web", .state = 2});
    fixture.open_own();
    std::optional<Result<std::vector<ContainerPtr>>> answer;
    fixture.client->list([&](auto result) { answer = std::move(result); });
    REQUIRE(fixture.own->list_reply);
    auto stranger = std::make_shared<Container>();
    stranger->id = stranger->name = "k8s.io/by-ctr";
    stranger->pid = 9;
    fixture.own->list_reply(std::vector<ContainerPtr>{alive("k8s.io/c1", 41), alive("k8s.io/p1", 40, true),
                                                      alive("k8s.io/too-new", 42, true), stranger});
    REQUIRE(fixture.drive_until([&] { return answer.has_value(); }));
    const auto& list = answer->value();
    REQUIRE(list.size() == 4);
    CHECK(list[0]->id == "c1");
    CHECK(list[0]->name == "web");
    CHECK(list[0]->pid == 41);
    CHECK(list[0]->pod == "db-0");
    CHECK(list[0]->name_space == "prod");
    CHECK(list[1]->sandbox);
    CHECK(list[1]->name == "db-0");
    // Known in outline only, and to be inspected.
    CHECK(list[2]->pid == 0);
    // Made past the interface: as containerd knows it.
    CHECK(list[3]->id == "by-ctr");
    CHECK(list[3]->pid == 9);
    CHECK(fixture.engine.calls("ContainerStatus") == 0);
}

TEST_CASE("a sandbox that the interface does not know yet is told when it does") {
    OnContainerd fixture;
    fixture.open_own();
    std::optional<Result<Inspection>> answer;
    fixture.client->inspect("p1", [&](auto result) { answer = std::move(result); });
    REQUIRE(fixture.own->inspected == "k8s.io/p1");
    Inspection inspection;
    inspection.alive = true;
    inspection.container = alive("k8s.io/p1", 40, true);
    std::exchange(fixture.own->inspect_reply, nullptr)(inspection);
    // Asked again by now.
    REQUIRE(fixture.drive_until([&] { return fixture.engine.calls("ListPodSandbox") >= 3; }));
    CHECK_FALSE(answer);
    fixture.engine.put(FakeCrio::Pod{.id = "p1", .name = "db-0"});
    REQUIRE(fixture.drive_until([&] { return answer.has_value(); }));
    CHECK(answer->value().container->name == "db-0");
    CHECK(answer->value().container->pid == 40);
}

TEST_CASE("what waits for the interface to know a sandbox ends with the stream") {
    OnContainerd fixture;
    fixture.open_own();
    fixture.client->inspect("p1", [](const auto&) { FAIL("answered"); });
    Inspection inspection;
    inspection.alive = true;
    inspection.container = alive("k8s.io/p1", 40, true);
    std::exchange(fixture.own->inspect_reply, nullptr)(inspection);
    REQUIRE(fixture.drive_until([&] { return fixture.engine.calls("ListPodSandbox") >= 2; }));
    SECTION("closed") {
        fixture.client->close();
    }
    SECTION("destroyed") {
        fixture.client.reset();
    }
    SECTION("over") {
        fixture.own->observer->on_stream_end({Kind::unreachable, "gone"});
    }
    bool turned = false;
    Timer later(fixture.loop, [&] { turned = true; });
    later.arm_after(std::chrono::milliseconds(50));
    REQUIRE(fixture.drive_until([&] { return turned; }));
}

TEST_CASE("containerd's own client is made once, and closed with each stream") {
    OnContainerd fixture;
    fixture.open_own();
    fixture.own->observer->on_stream_end({Kind::unreachable, "the connection broke"});
    REQUIRE(fixture.observer.ends.size() == 1);
    CHECK(fixture.observer.ends[0].message == "the connection broke");
    CHECK(fixture.own->closed == 1);
    fixture.open_own();
    CHECK(fixture.made == 1);
    fixture.client->close();
    CHECK(fixture.own->closed == 2);
}

TEST_CASE("a runtime that is neither is not followed, and it is said why") {
    CriFixture fixture("docker\x1b[31m");
    const EngineError error = fixture.end_of_stream();
    CHECK(error.kind == Kind::engine);
    CHECK(contains(error.message, "this is 'docker\\x1b[31m'; only of containerd and CRI-O"));
    CHECK(fixture.engine.calls("GetContainerEvents") == 0);
}

TEST_CASE("a containerd without the interface says what to do") {
    CriFixture fixture;
    fixture.engine.refuse("Version", 12, "unknown service runtime.v1.RuntimeService");
    const EngineError error = fixture.end_of_stream();
    CHECK(error.kind == Kind::engine);
    CHECK(contains(error.message, "is its CRI plugin enabled?"));
}

TEST_CASE("a version that makes no sense is told as such") {
    CriFixture fixture;
    fixture.engine.replace("Version", [](const GrpcExchangePtr& e) { e->answer("\xff\xff\xff"); });
    CHECK(fixture.end_of_stream().kind == Kind::protocol);
}

TEST_CASE("what was made past the interface is stopped and inspected by containerd's own client") {
    OnContainerd fixture;
    fixture.engine.put(FakeCrio::Pod{.id = "p1", .name = "db-0"});
    fixture.engine.put(FakeCrio::Container{.id = "c1", .pod = "p1", .name = "web"});
    fixture.open_own();
    std::vector<std::optional<EngineError>> answers;
    const auto note = [&](std::optional<EngineError> error) { answers.push_back(std::move(error)); };
    fixture.client->control().stop("c1", std::chrono::seconds(5), note);
    REQUIRE(fixture.drive_until([&] { return answers.size() == 1; }));
    CHECK_FALSE(answers[0]);
    CHECK(fixture.own->stopped.empty());
    CHECK(fixture.engine.stopped_in("c1") == 5);

    fixture.client->control().stop("by-ctr", std::chrono::seconds(5), note);
    REQUIRE(fixture.drive_until([&] { return bool(fixture.own->stop_reply); }));
    CHECK(fixture.own->stopped == "k8s.io/by-ctr 5");
    fixture.own->stop_reply(EngineError{Kind::not_alive, "it is over"});
    REQUIRE(answers.size() == 2);
    REQUIRE(answers[1]);
    CHECK(answers[1]->kind == Kind::not_alive);

    std::optional<Result<std::string>> text;
    fixture.client->control().inspect_json("by-ctr", [&](auto result) { text = std::move(result); });
    REQUIRE(fixture.drive_until([&] { return bool(fixture.own->json_reply); }));
    CHECK(fixture.own->inspected == "k8s.io/by-ctr");
    fixture.own->json_reply(std::string("{}"));
    REQUIRE(text);
    CHECK(text->value() == "{}");
}
