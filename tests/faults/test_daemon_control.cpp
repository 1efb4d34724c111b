// What the outside asks of engines is answered on the main loop, once, whatever becomes of engines and
// watchers meanwhile.
#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "daemon/daemon.h"
#include "tests/fakes/fake_docker.h"
#include "tests/unit/catch.h"

using namespace shorewatch;
using namespace shorewatch::fakes;
using namespace std::chrono_literals;
using Catch::Matchers::ContainsSubstring;
using Kind = EngineError::Kind;

namespace {

struct World {
    EventLoop loop;
    FakeDocker engine;  // wakes the loop to its end
    std::unique_ptr<Daemon> daemon =
        std::make_unique<Daemon>(loop, false, [] { return Configuration{}; }, [] {});
    std::vector<Result<std::string>> answers;
    std::thread::id main = std::this_thread::get_id();

    World() {
        engine.wakes(loop);
        daemon->apply(configuration());
        REQUIRE(drive(loop, [&] { return state() == EngineState::watching; }));
    }

    [[nodiscard]] Configuration configuration() const {
        Configuration made;
        EngineConfiguration one;
        one.name = "docker";
        one.endpoint = engine.endpoint();
        made.engines.push_back(std::move(one));
        return made;
    }
    [[nodiscard]] EngineState state() const {
        const PublishedEngine* found = daemon->registry().engine("docker");
        return found != nullptr ? found->status().state : EngineState::unavailable;
    }
    void ask(ControlRequest request, const std::string& of = "docker") {
        const std::size_t before = answers.size();
        daemon->control(of, std::move(request), [this](Result<std::string> answer) {
            CHECK(std::this_thread::get_id() == main);
            answers.push_back(std::move(answer));
        });
        CHECK(answers.size() == before);
    }
    [[nodiscard]] bool wait_for(std::size_t count) {
        return drive(loop, [&] { return answers.size() >= count; });
    }
    // What was posted until now has had its turn.
    void turn() {
        bool turned = false;
        loop.post([&] { turned = true; });
        REQUIRE(drive(loop, [&] { return turned; }));
    }
};

const auto asked_so_often = [](std::size_t count) {
    return [count](const Seen& seen) { return seen.count(Request::control) == count; };
};

}  // namespace

TEST_CASE("the daemon has an engine do what is asked, and hands back what it says") {
    World world;
    const auto web = world.engine.start({.name = "web"});
    world.ask({web, ControlRequest::Inspect{}});
    REQUIRE(world.wait_for(1));
    CHECK_THAT(world.answers[0].value(), ContainsSubstring(web));
    world.ask({web, ControlRequest::Stop{5s}});
    REQUIRE(world.wait_for(2));
    CHECK(world.answers[1].value().empty());
    world.ask({web, ControlRequest::Pause{}});
    REQUIRE(world.wait_for(3));
    CHECK(world.answers[2].error().kind == Kind::not_alive);
}

TEST_CASE("of an engine that there is not, that is said") {
    World world;
    world.ask({"web", ControlRequest::Pause{}}, "other");
    REQUIRE(world.wait_for(1));
    CHECK(world.answers[0].error().kind == Kind::unreachable);
    CHECK_THAT(world.answers[0].error().message, ContainsSubstring("engine other is not watched"));
}

TEST_CASE("a reload that removes an engine during its stops answers all of them, once") {
    World world;
    const auto web = world.engine.start({.name = "web"});
    world.engine.when(Request::control, {.never_answer = true});
    for (int i = 0; i < 10; ++i)
        world.ask({web, ControlRequest::Stop{60s}});
    REQUIRE(world.engine.wait_until(asked_so_often(10)));
    // These have most likely not come to the watcher's turn.
    for (int i = 0; i < 500; ++i)
        world.ask({web, ControlRequest::Stop{60s}});
    const auto removed = GENERATE(true, false);
    const std::size_t before = world.answers.size();
    if (removed) {
        world.daemon->apply({});
    } else {
        // The same name, and another engine.
        Configuration changed = world.configuration();
        changed.engines[0].type = "podman";
        world.daemon->apply(changed);
    }
    CHECK(world.answers.size() == before);
    REQUIRE(world.wait_for(510));
    world.turn();
    CHECK(world.answers.size() == 510);
    for (const auto& answer : world.answers) {
        REQUIRE_FALSE(answer);
        const Kind kind = answer.error().kind;
        CHECK((kind == Kind::unreachable || kind == Kind::busy));
    }
}

TEST_CASE("the end of the daemon leaves what is asked unanswered") {
    World world;
    const auto web = world.engine.start({.name = "web"});
    world.engine.when(Request::control, {.never_answer = true});
    for (int i = 0; i < 200; ++i)
        world.ask({web, ControlRequest::Stop{60s}});
    world.ask({"web", ControlRequest::Pause{}}, "other");
    world.daemon.reset();
    world.turn();
    CHECK(world.answers.empty());
}

TEST_CASE("an answer may ask again, and end the daemon") {
    World world;
    const auto web = world.engine.start({.name = "web"});
    int answered = 0;
    world.daemon->control("docker", {web, ControlRequest::Pause{}}, [&](const Result<std::string>& first) {
        CHECK(first);
        ++answered;
        world.daemon->control("docker", {web, ControlRequest::Unpause{}},
                              [&](const Result<std::string>& then) {
                                  CHECK(then);
                                  ++answered;
                                  world.daemon.reset();
                              });
    });
    REQUIRE(drive(world.loop, [&] { return answered == 2; }));
}

TEST_CASE("the end of the daemon leaves what its watchers have told untaken") {
    for (int round = 0; round < 20; ++round) {
        World world;
        // A watcher that has found its engine tells that on a thread of its own, of which the loop hears
        // later.
        world.engine.start({.name = "web"});
        world.daemon.reset();
        world.turn();
    }
}
