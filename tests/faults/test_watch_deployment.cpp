// What a watched engine does for the task engine: all is answered, and it is told when the engine is there.
#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "tests/fakes/fake_docker.h"
#include "tests/fakes/leak_check.h"
#include "tests/faults/watched.h"
#include "tests/unit/catch.h"

using namespace shorewatch;
using namespace shorewatch::fakes;
using Kind = EngineError::Kind;

namespace {

// What is told and answered on the watcher's thread, in order: "up", "down", "done", or the kind of an error.
class Story {
  public:
    [[nodiscard]] DeploymentDesk::Tell teller() {
        return [this](const std::optional<std::string>& why_down) { add(why_down ? "down" : "up"); };
    }
    [[nodiscard]] DeploymentReply reply() {
        return [this](const Result<DeploymentAnswer>& answer) {
            if (answer) return add("done");
            add(answer.error().kind == Kind::unreachable ? "unreachable" : "refused");
        };
    }
    // It is this, or comes to be.
    [[nodiscard]] bool becomes(const std::vector<std::string>& story) {
        std::unique_lock lock(mutex_);
        const bool came = changed_.wait_for(lock, patience, [&] { return story_ == story; });
        if (!came) {
            for (const std::string& word : story_)
                UNSCOPED_INFO(word);
        }
        return came;
    }

  private:
    void add(std::string word) {
        const std::lock_guard lock(mutex_);
        story_.push_back(std::move(word));
        changed_.notify_all();
    }

    std::mutex mutex_;
    std::condition_variable changed_;
    std::vector<std::string> story_;
};

// A request whose answer is the container's state.
DeploymentRequest inspection_of(const std::string& id) {
    return {"inspect it", [id](const DeploymentTools& tools, DeploymentReply reply) {
                tools.deployment.inspect(id, [reply](Result<DeployedContainer> found) {
                    found ? reply(DeploymentAnswer(std::move(found.value()))) : reply(found.error());
                });
            }};
}

}  // namespace

TEST_CASE("an engine is there when it was listed, and gone with each stream that ends") {
    const LeakCheck leaks;
    FakeDocker engine;
    const auto web = engine.start({.name = "web"});
    Story story;
    Gate gate;
    engine.when(Request::list, {.nth = 1, .hold_answer = gate});
    Watched watched(engine, {}, {}, nullptr, story.teller());
    REQUIRE(watched.wait_for(EngineState::synchronizing));
    CHECK(story.becomes({}));
    gate.open();
    REQUIRE(story.becomes({"up"}));
    watched.deploy(inspection_of(web), story.reply());
    REQUIRE(story.becomes({"up", "done"}));
    SECTION("when it is killed") {
        engine.kill_engine();
        REQUIRE(story.becomes({"up", "done", "down"}));
        watched.deploy(inspection_of(web), story.reply());
        REQUIRE(story.becomes({"up", "done", "down", "unreachable"}));
        engine.come_back();
        CHECK(story.becomes({"up", "done", "down", "unreachable", "up"}));
    }
    SECTION("also when another stream can be had at once") {
        engine.cut_streams();
        CHECK(story.becomes({"up", "done", "down", "up"}));
    }
}

TEST_CASE("what is under way when the engine goes is answered, once, after it was told") {
    const LeakCheck leaks;
    FakeDocker engine;
    const auto web = engine.start({.name = "web"});
    Story story;
    std::optional<Watched> watched(std::in_place, engine, docker::DockerOptions{}, EngineWatch::Timing{},
                                   nullptr, story.teller());
    REQUIRE(story.becomes({"up"}));
    engine.when(Request::inspect, {.never_answer = true});
    watched->deploy(inspection_of(web), story.reply());
    REQUIRE(engine.wait_until([](const Seen& seen) { return seen.inspects > 0; }));
    SECTION("because its stream ended") {
        engine.cut_streams();
        CHECK(story.becomes({"up", "down", "unreachable", "up"}));
    }
    SECTION("because it is no longer watched") {
        watched.reset();
        CHECK(story.becomes({"up", "unreachable"}));
    }
}

TEST_CASE("what an engine is asked before it is there is answered too") {
    const LeakCheck leaks;
    FakeDocker engine;
    engine.kill_engine();
    Story story;
    Watched watched(engine, {}, {}, nullptr, story.teller());
    watched.deploy(inspection_of("web"), story.reply());
    CHECK(story.becomes({"unreachable"}));
}
