// What is asked of an engine by way of its watcher: it is answered, whatever becomes of the engine meanwhile.
#include <chrono>
#include <condition_variable>
#include <map>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <string>
#include <vector>

#include "tests/fakes/fake_docker.h"
#include "tests/fakes/leak_check.h"
#include "tests/faults/watched.h"
#include "tests/unit/catch.h"

using namespace shorewatch;
using namespace shorewatch::fakes;
using namespace std::chrono_literals;
using Catch::Matchers::ContainsSubstring;
using Kind = EngineError::Kind;

namespace {

// The answers of many requests, as they come on the watcher's thread.
class Answers {
  public:
    // Of one request.
    [[nodiscard]] ControlReply next() {
        return [this, number = asked_++](Result<std::string> answer) {
            const std::lock_guard lock(mutex_);
            ++times_[number];
            answers_.push_back(std::move(answer));
            changed_.notify_all();
        };
    }
    [[nodiscard]] bool wait_for(std::size_t count) {
        std::unique_lock lock(mutex_);
        return changed_.wait_for(lock, patience, [&] { return answers_.size() >= count; });
    }
    [[nodiscard]] std::size_t count() {
        const std::lock_guard lock(mutex_);
        return answers_.size();
    }
    [[nodiscard]] std::size_t count(Kind kind) {
        const std::lock_guard lock(mutex_);
        std::size_t found = 0;
        for (const auto& answer : answers_)
            found += !answer && answer.error().kind == kind ? 1 : 0;
        return found;
    }
    [[nodiscard]] Result<std::string> last() {
        const std::lock_guard lock(mutex_);
        return answers_.back();
    }
    [[nodiscard]] bool each_once() {
        const std::lock_guard lock(mutex_);
        for (const auto& [number, times] : times_) {
            if (times != 1) return false;
        }
        return true;
    }

  private:
    std::mutex mutex_;
    std::condition_variable changed_;
    std::size_t asked_ = 0;
    std::map<std::size_t, int> times_;
    std::vector<Result<std::string>> answers_;
};

const auto asked_so_often = [](std::size_t count) {
    return [count](const Seen& seen) { return seen.count(Request::control) == count; };
};

}  // namespace

TEST_CASE("what is asked is answered when it is done, and its signal comes as always") {
    const LeakCheck leaks;
    FakeDocker engine;
    const auto web = engine.start({.name = "web"});
    Answers answers;
    Watched watched(engine);
    REQUIRE(watched.wait_for(EngineState::watching));
    watched.control({web, ControlRequest::Pause{}}, answers.next());
    REQUIRE(answers.wait_for(1));
    CHECK(answers.last().value().empty());
    REQUIRE(watched.wait_for(web, "started paused"));
    watched.control({web, ControlRequest::Unpause{}}, answers.next());
    REQUIRE(answers.wait_for(2));
    watched.control({web, ControlRequest::Inspect{}}, answers.next());
    REQUIRE(answers.wait_for(3));
    CHECK_THAT(answers.last().value(), ContainsSubstring(web));
    watched.control({web, ControlRequest::Stop{5s}}, answers.next());
    REQUIRE(answers.wait_for(4));
    CHECK(watched.wait_for(web, "started paused unpaused exited:143"));
    watched.control({web, ControlRequest::Kill{9}}, answers.next());
    REQUIRE(answers.wait_for(5));
    CHECK(answers.last().error().kind == Kind::not_alive);
    CHECK(answers.each_once());
}

TEST_CASE("of a thousand requests to an engine that hangs 64 wait and the others are refused, each once") {
    const LeakCheck leaks;
    FakeDocker engine;
    const auto web = engine.start({.name = "web"});
    const auto other = engine.start({.name = "other"});
    Answers answers;
    Watched watched(engine);
    REQUIRE(watched.wait_for(EngineState::watching));
    engine.when(Request::control, {.never_answer = true});
    for (int i = 0; i < 1000; ++i)
        watched.control({web, ControlRequest::Stop{60s}}, answers.next());
    REQUIRE(answers.wait_for(1000 - ControlDesk::most_pending));
    REQUIRE(engine.wait_until(asked_so_often(ControlDesk::most_pending)));
    CHECK(answers.count(Kind::busy) == 1000 - ControlDesk::most_pending);
    CHECK_THAT(answers.last().error().message,
               ContainsSubstring("cannot stop container") && ContainsSubstring("64 requests"));
    // What is watched is watched as if there were none of them.
    engine.die(other, 3);
    CHECK(watched.wait_for(other, "started exited:3"));
    watched.resync();
    const auto fresh = engine.start({.name = "fresh"}, Tell::never);
    watched.resync();
    CHECK(watched.wait_for(fresh, "started"));
    engine.drop_connections();
    REQUIRE(answers.wait_for(1000));
    CHECK(answers.each_once());
    // There is room again.
    engine.behave();
    REQUIRE(watched.wait_for(EngineState::watching));
    engine.pause(fresh);
    REQUIRE(watched.wait_for(fresh, "started paused"));
    watched.control({fresh, ControlRequest::Unpause{}}, answers.next());
    REQUIRE(answers.wait_for(1001));
    CHECK(answers.last());
}

TEST_CASE("an engine that goes away during a stop leaves an answer behind, with the reason") {
    const LeakCheck leaks;
    FakeDocker engine;
    const auto web = engine.start({.name = "web"});
    Answers answers;
    Watched watched(engine);
    REQUIRE(watched.wait_for(EngineState::watching));
    engine.when(Request::control, {.never_answer = true});
    watched.control({web, ControlRequest::Stop{60s}}, answers.next());
    REQUIRE(engine.wait_until(asked_so_often(1)));
    SECTION("its stream alone") {
        engine.cut_streams();
        REQUIRE(answers.wait_for(1));
        CHECK(answers.last().error().kind == Kind::unreachable);
        CHECK_THAT(answers.last().error().message,
                   ContainsSubstring("cannot stop container " + web.substr(0, 12)) &&
                       ContainsSubstring("the connection was lost before it answered") &&
                       ContainsSubstring("follow the engine's events"));
    }
    SECTION("as a whole") {
        engine.shut_down();
        REQUIRE(answers.wait_for(1));
        CHECK_FALSE(answers.last());
        REQUIRE(watched.wait_for(EngineState::lost));
        watched.control({web, ControlRequest::Stop{60s}}, answers.next());
        REQUIRE(answers.wait_for(2));
        CHECK(answers.last().error().kind == Kind::unreachable);
        engine.come_back();
        engine.behave();
        REQUIRE(watched.wait_for(EngineState::watching));
        watched.control({web, ControlRequest::Stop{60s}}, answers.next());
        REQUIRE(answers.wait_for(3));
        CHECK(answers.last());
    }
    CHECK(answers.each_once());
}

TEST_CASE("a watcher that ends answers what was under way") {
    const LeakCheck leaks;
    FakeDocker engine;
    const auto web = engine.start({.name = "web"});
    Answers answers;
    {
        Watched watched(engine);
        REQUIRE(watched.wait_for(EngineState::watching));
        engine.when(Request::control, {.never_answer = true});
        for (int i = 0; i < 10; ++i)
            watched.control({web, ControlRequest::Stop{60s}}, answers.next());
        REQUIRE(engine.wait_until(asked_so_often(10)));
    }
    CHECK(answers.count(Kind::unreachable) == 10);
    CHECK(answers.each_once());
    CHECK_THAT(answers.last().error().message, ContainsSubstring("no longer watched"));
}

TEST_CASE("a watcher without a client answers all the same, and its loop turns") {
    Answers answers;
    Watcher watcher(
        "broken", Endpoint::parse("unix:///nowhere"),
        [](EventLoop&) -> std::unique_ptr<EngineClient> { throw std::runtime_error("no client"); },
        [](const Change&) {});
    for (int i = 0; i < 3; ++i) {
        watcher.control({"web", ControlRequest::Pause{}}, answers.next());
        REQUIRE(answers.wait_for(static_cast<std::size_t>(i) + 1));
        CHECK(watcher.is_turning());
    }
    CHECK(answers.count(Kind::unreachable) == 3);
}
