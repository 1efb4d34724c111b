// The watch over a fake Docker engine, on a thread of its own as in the daemon: what is published in the end
// is what is, and each run is told once, whatever the engine and the connection do.
#include <condition_variable>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "daemon/watcher.h"
#include "engines/docker/docker_client.h"
#include "tests/fakes/fake_docker.h"
#include "tests/fakes/leak_check.h"
#include "tests/unit/catch.h"

using namespace shorewatch;
using namespace shorewatch::fakes;
using namespace std::chrono_literals;

namespace {

// A watcher, and all that it has published.
class Watched {
  public:
    explicit Watched(const FakeDocker& engine, docker::DockerOptions options = {},
                     EngineWatch::Timing timing = {})
        : watcher_(
              "docker", engine.endpoint(),
              [endpoint = engine.endpoint(), options](EventLoop& loop) {
                  return std::make_unique<docker::DockerClient>(loop, endpoint, options);
              },
              [this](const Change& change) { take(change); }, timing) {}

    [[nodiscard]] bool wait_for(EngineState state) {
        return wait([&] { return status_.state == state; });
    }
    // A container's history: "started exited:7 started".
    [[nodiscard]] bool wait_for(const std::string& id, const std::string& history) {
        if (wait([&] { return histories_[id] == history; })) return true;
        UNSCOPED_INFO("what was told: " << this->history(id));
        return false;
    }
    [[nodiscard]] bool wait_for_error(const std::string& text) {
        return wait([&] { return status_.last_error.find(text) != std::string::npos; });
    }
    [[nodiscard]] std::string history(const std::string& id) {
        const std::lock_guard lock(mutex_);
        return histories_[id];
    }
    [[nodiscard]] EngineStatus status() {
        const std::lock_guard lock(mutex_);
        return status_;
    }
    // All it has been in, in order.
    [[nodiscard]] std::vector<EngineState> states() {
        const std::lock_guard lock(mutex_);
        return states_;
    }
    // As published: name, and whether it is paused, by id.
    [[nodiscard]] std::map<std::string, std::pair<std::string, bool>> alive() {
        const std::lock_guard lock(mutex_);
        return alive_;
    }
    [[nodiscard]] bool wait_for_alive(const std::map<std::string, std::pair<std::string, bool>>& expected) {
        return wait([&] { return alive_ == expected; });
    }
    void resync() { watcher_.resync(); }
    [[nodiscard]] bool is_turning() { return watcher_.is_turning(); }

  private:
    bool wait(const std::function<bool()>& holds) {
        std::unique_lock lock(mutex_);
        return changed_.wait_for(lock, patience, holds);
    }

    void take(const Change& change) {
        const std::lock_guard lock(mutex_);
        std::visit([this](const auto& what) { note(what); }, change);
        changed_.notify_all();
    }

    void add(const std::string& id, const std::string& word) {
        std::string& history = histories_[id];
        history += (history.empty() ? "" : " ") + word;
    }
    void show(const ContainerPtr& container) { alive_[container->id] = {container->name, container->paused}; }

    void note(const ContainerStarted& c) {
        add(c.container->id, "started");
        if (c.container->pid != 0) show(c.container);
    }
    void note(const ContainerExited& c) {
        add(c.container->id, "exited:" + (c.exit_code ? std::to_string(*c.exit_code) : "?"));
        alive_.erase(c.container->id);
    }
    void note(const ContainerPaused& c) {
        add(c.container->id, "paused");
        show(c.container);
    }
    void note(const ContainerUnpaused& c) {
        add(c.container->id, "unpaused");
        show(c.container);
    }
    void note(const ContainerRenamed& c) {
        add(c.container->id, "renamed");
        show(c.container);
    }
    void note(const EngineChanged& c) {
        status_ = c.status;
        if (states_.empty() || states_.back() != c.status.state) states_.push_back(c.status.state);
    }

    std::mutex mutex_;
    std::condition_variable changed_;
    std::map<std::string, std::string> histories_;
    std::map<std::string, std::pair<std::string, bool>> alive_;
    EngineStatus status_;
    std::vector<EngineState> states_;
    Watcher watcher_;  // last: it publishes from its first moment on
};

}  // namespace

TEST_CASE("a container is told from its start to its end, with the engine's word on how") {
    const LeakCheck leaks;
    FakeDocker engine;
    Watched watched(engine);
    REQUIRE(watched.wait_for(EngineState::watching));
    const auto web = engine.start({.name = "web"});
    REQUIRE(watched.wait_for(web, "started"));
    engine.pause(web);
    engine.unpause(web);
    engine.rename(web, "site");
    engine.die(web, 7);
    CHECK(watched.wait_for(web, "started paused unpaused renamed exited:7"));
}

TEST_CASE("what is alive at the start is found, and what is paused is told as paused") {
    FakeDocker engine;
    const auto web = engine.start({.name = "web"});
    const auto db = engine.start({.name = "db"});
    engine.pause(db);
    const auto gone = engine.start({.name = "gone"});
    engine.die(gone);
    Watched watched(engine);
    REQUIRE(watched.wait_for(EngineState::watching));
    CHECK(watched.history(web) == "started");
    CHECK(watched.history(db) == "started paused");
    CHECK(watched.history(gone).empty());
}

TEST_CASE("an exec, a health probe and a SIGHUP are no deaths") {
    FakeDocker engine;
    const auto web = engine.start({.name = "web"});
    Watched watched(engine);
    REQUIRE(watched.wait_for(EngineState::watching));
    engine.exec(web, "true", 1);
    engine.probe_health(web);
    engine.kill(web, 1);
    engine.pause(web);
    CHECK(watched.wait_for(web, "started paused"));
}

TEST_CASE("200 containers that end at once are 200 pairs") {
    FakeDocker engine;
    Watched watched(engine);
    REQUIRE(watched.wait_for(EngineState::watching));
    std::vector<std::string> ids;
    for (int i = 0; i < 200; ++i) {
        ids.push_back(engine.start({.name = "short" + std::to_string(i)}));
        engine.die(ids.back(), i);
        engine.remove(ids.back());
    }
    for (std::size_t i = 0; i < ids.size(); ++i) {
        CHECK(watched.wait_for(ids[i], "started exited:" + std::to_string(i)));
    }
}

TEST_CASE("a container that ends between the list and its inspection is told once") {
    FakeDocker engine;
    const auto web = engine.start({.name = "web"});
    engine.when(Request::inspect, {.nth = 1, .before = [&] { engine.die(web, 5); }});
    Watched watched(engine);
    REQUIRE(watched.wait_for(EngineState::watching));
    CHECK(watched.wait_for(web, "started exited:5"));
    engine.start(web);
    CHECK(watched.wait_for(web, "started exited:5 started"));
}

TEST_CASE("a container that is restarted while it is inspected is told as two runs") {
    FakeDocker engine;
    Watched watched(engine);
    REQUIRE(watched.wait_for(EngineState::watching));
    std::string web;
    engine.when(Request::inspect, {.nth = 1, .before = [&] { engine.restart(web, 3); }});
    web = engine.create({.name = "web"});
    engine.start(web);
    CHECK(watched.wait_for(web, "started exited:3 started"));
}

TEST_CASE("events that are told twice make no second signal") {
    FakeDocker engine;
    Watched watched(engine);
    REQUIRE(watched.wait_for(EngineState::watching));
    const auto web = engine.start({.name = "web"}, Tell::twice);
    REQUIRE(watched.wait_for(web, "started"));
    engine.pause(web, Tell::twice);
    engine.unpause(web, Tell::twice);
    engine.die(web, 1, Tell::twice);
    engine.start(web, Tell::twice);
    CHECK(watched.wait_for(web, "started paused unpaused exited:1 started"));
}

TEST_CASE("events out of order make no second run and no ghost") {
    FakeDocker engine;
    Watched watched(engine);
    REQUIRE(watched.wait_for(EngineState::watching));
    const auto web = engine.create({.name = "web"});
    engine.hold_events();
    engine.start(web);
    engine.die(web, 4);
    const auto held = engine.held_events();
    std::vector<std::size_t> order;
    for (std::size_t i = held.size(); i-- > 0;)
        order.push_back(i);
    engine.release_events(order);
    CHECK(watched.wait_for(web, "started exited:4"));
    engine.start(web);
    CHECK(watched.wait_for(web, "started exited:4 started"));
}

TEST_CASE("a cut connection is made again at once, and what happened meanwhile is told") {
    const LeakCheck leaks;
    FakeDocker engine;
    const auto stays = engine.start({.name = "stays"});
    const auto ends = engine.start({.name = "ends"});
    Watched watched(engine);
    REQUIRE(watched.wait_for(EngineState::watching));
    for (int i = 0; i < 20; ++i) {
        engine.drop_connections();
        const auto fresh = engine.start({.name = "fresh" + std::to_string(i)});
        REQUIRE(watched.wait_for(fresh, "started"));
    }
    engine.die(ends, 9, Tell::never);
    engine.drop_connections();
    CHECK(watched.wait_for(ends, "started exited:9"));
    CHECK(watched.history(stays) == "started");
}

TEST_CASE("an engine whose stream is gone, but which can be reached, is not lost, and nothing is missed") {
    const LeakCheck leaks;
    const bool in_good_order = GENERATE(true, false);
    FakeDocker engine;
    const auto stays = engine.start({.name = "stays"});
    const auto ends = engine.start({.name = "ends"});
    EngineWatch::Timing timing;
    timing.good_stream = {};
    timing.longest_reopening = patience;
    Watched watched(engine, {}, timing);
    REQUIRE(watched.wait_for(EngineState::watching));
    for (int i = 0; i < 5; ++i) {
        const auto before = engine.start({.name = "before" + std::to_string(i)});
        REQUIRE(watched.wait_for(before, "started"));
        in_good_order ? engine.end_streams() : engine.drop_connections();
        const auto after = engine.start({.name = "after" + std::to_string(i)});
        REQUIRE(watched.wait_for(after, "started"));
    }
    engine.die(ends, 9, Tell::never);
    engine.end_streams();
    CHECK(watched.wait_for(ends, "started exited:9"));
    CHECK(watched.history(stays) == "started");
    using enum EngineState;
    CHECK(watched.states() == std::vector{connecting, synchronizing, watching});
}

TEST_CASE("an engine whose stream is gone, and which can't be reached, is lost") {
    FakeDocker engine;
    EngineWatch::Timing timing;
    timing.good_stream = {};
    SECTION("at once, if that is certain") {
        timing.longest_reopening = 10 * patience;
        Watched watched(engine, {}, timing);
        REQUIRE(watched.wait_for(EngineState::watching));
        SECTION("as nobody listens") {
            engine.kill_engine();
        }
        SECTION("as there is no socket") {
            engine.shut_down();
        }
        CHECK(watched.wait_for(EngineState::lost));
    }
    SECTION("a little later, if it does not answer") {
        timing.longest_reopening = 10ms;
        docker::DockerOptions patient;
        patient.ping_deadline = 10 * patience;
        Watched watched(engine, patient, timing);
        REQUIRE(watched.wait_for(EngineState::watching));
        engine.when(Request::ping, {.never_answer = true});
        engine.end_streams();
        REQUIRE(watched.wait_for(EngineState::lost));
        CHECK(watched.wait_for_error("the engine ended the stream"));
    }
}

TEST_CASE("an outage is not a funeral, and the engine's return tells the difference") {
    FakeDocker engine;
    const auto stays = engine.start({.name = "stays"});
    const auto ends = engine.start({.name = "ends"});
    const auto again = engine.start({.name = "again"});
    Watched watched(engine);
    REQUIRE(watched.wait_for(EngineState::watching));
    engine.kill_engine();
    REQUIRE(watched.wait_for(EngineState::lost));
    CHECK(watched.history(ends) == "started");
    engine.die(ends, 2);
    engine.restart(again, 0);
    engine.come_back();
    REQUIRE(watched.wait_for(ends, "started exited:2"));
    REQUIRE(watched.wait_for(again, "started exited:? started"));
    REQUIRE(watched.wait_for(EngineState::watching));
    CHECK(watched.history(stays) == "started");
    CHECK(watched.status().last_error.empty());
}

TEST_CASE("an engine that is not there yet is waited for by its socket") {
    FakeDocker engine;
    engine.shut_down();
    Watched watched(engine);
    REQUIRE(watched.wait_for_error("there is no socket"));
    CHECK(watched.status().state == EngineState::unavailable);
    engine.come_back();
    CHECK(watched.wait_for(EngineState::watching));
    engine.shut_down();
    CHECK(watched.wait_for(EngineState::lost));
    engine.come_back();
    CHECK(watched.wait_for(EngineState::watching));
}

TEST_CASE("a folder in place of the socket is named, and the socket's return is noticed") {
    FakeDocker engine;
    Watched watched(engine);
    REQUIRE(watched.wait_for(EngineState::watching));
    engine.put_folder_in_place();
    CHECK(watched.wait_for_error("folder"));
    engine.come_back();
    CHECK(watched.wait_for(EngineState::watching));
}

TEST_CASE("an inspection that hangs holds up neither the others nor the word that all is synchronised") {
    FakeDocker engine;
    const auto hung = engine.start({.name = "hung"});
    const auto web = engine.start({.name = "web"});
    Gate gate;
    engine.when(Request::inspect, {.container = hung, .hold = gate});
    Watched watched(engine, {}, {.longest_settling = 50ms});
    REQUIRE(watched.wait_for(web, "started"));
    REQUIRE(watched.wait_for(EngineState::watching));
    CHECK(watched.history(hung).empty());
    gate.open();
    CHECK(watched.wait_for(hung, "started"));
}

TEST_CASE("an inspection that is never answered is tried again") {
    FakeDocker engine;
    const auto web = engine.start({.name = "web"});
    engine.when(Request::inspect, {.nth = 1, .never_answer = true});
    docker::DockerOptions impatient;
    impatient.inspect_deadline = 100ms;
    Watched watched(engine, impatient);
    CHECK(watched.wait_for(web, "started"));
}

TEST_CASE("an event larger than what is taken costs a list, and nothing is missed") {
    FakeDocker engine;
    docker::DockerOptions modest;
    modest.event_limit = 64 * 1024;
    Watched watched(engine, modest);
    REQUIRE(watched.wait_for(EngineState::watching));
    const auto big =
        engine.start({.name = "big", .labels = {{"big", std::string(200'000, 'x')}, {"tier", "front"}}});
    CHECK(watched.wait_for(big, "started"));
    const auto web = engine.start({.name = "web"});
    CHECK(watched.wait_for(web, "started"));
    engine.die(big, 3);
    CHECK(watched.wait_for(big, "started exited:3"));
}

TEST_CASE("nonsense in the stream costs the connection, and nothing else") {
    const LeakCheck leaks;
    const std::vector<std::string> nonsense{"{\"Type\":", "]]]", "\x01\x02\x03",
                                            "{\"Type\":\"container\",\"Action\":\"die\"",
                                            "{\"errorDetail\":{\"message\":\"boom\"}}"};
    FakeDocker engine;
    const auto web = engine.start({.name = "web"});
    Watched watched(engine);
    REQUIRE(watched.wait_for(EngineState::watching));
    for (const std::string& text : nonsense) {
        CAPTURE(text);
        engine.stream_text(text);
        engine.cut_streams();
        const auto fresh = engine.start({.name = "fresh"});
        CHECK(watched.wait_for(fresh, "started"));
        engine.remove(fresh);
    }
    CHECK(watched.history(web) == "started");
}

TEST_CASE("a clock that jumps an hour back or forth loses no end") {
    FakeDocker engine;
    const auto web = engine.start({.name = "web"});
    const auto db = engine.start({.name = "db"});
    Watched watched(engine);
    REQUIRE(watched.wait_for(EngineState::watching));
    engine.set_clock_offset(-1h);
    engine.die(web, 1);
    CHECK(watched.wait_for(web, "started exited:1"));
    engine.set_clock_offset(1h);
    engine.die(db, 2);
    CHECK(watched.wait_for(db, "started exited:2"));
}

TEST_CASE("a resync that is asked for tells what the engine forgot to") {
    FakeDocker engine;
    const auto web = engine.start({.name = "web"});
    Watched watched(engine);
    REQUIRE(watched.wait_for(EngineState::watching));
    engine.die(web, 6, Tell::never);
    const auto db = engine.start({.name = "db"}, Tell::never);
    watched.resync();
    CHECK(watched.wait_for(web, "started exited:6"));
    CHECK(watched.wait_for(db, "started"));
}

TEST_CASE("a watcher ends at once, whatever its engine is doing") {
    const LeakCheck leaks;
    FakeDocker engine;
    for (int i = 0; i < 20; ++i)
        (void)engine.start({.name = "c" + std::to_string(i)});
    SECTION("frozen before it is reached") {
        engine.freeze();
    }
    SECTION("inspections hang") {
        engine.when(Request::inspect, {.never_answer = true});
    }
    SECTION("the list hangs") {
        engine.when(Request::list, {.never_answer = true});
    }
    {
        Watched watched(engine);
        CHECK(watched.is_turning());
    }
    engine.thaw();
}

TEST_CASE("in a storm of starts, ends, pauses and cuts the portfolio is what is, and each run is told once") {
    const LeakCheck leaks;
    FakeDocker engine;
    Watched watched(engine);
    REQUIRE(watched.wait_for(EngineState::watching));
    std::vector<std::string> ids;
    for (int i = 0; i < 40; ++i)
        ids.push_back(engine.create({.name = "c" + std::to_string(i)}));
    std::map<std::string, std::pair<std::string, bool>> expected;
    for (unsigned round = 0; round < 30; ++round) {
        for (std::size_t i = 0; i < ids.size(); ++i) {
            const bool runs = expected.contains(ids[i]);
            const Tell tell = (round + i) % 3 == 0 ? Tell::twice : Tell::once;
            if (!runs) {
                engine.start(ids[i], tell);
                expected[ids[i]] = {"c" + std::to_string(i), false};
            } else if ((round + i) % 4 == 0) {
                engine.restart(ids[i], 0, tell);
                expected[ids[i]].second = false;
            } else if ((round + i) % 4 == 1 && !expected[ids[i]].second) {
                engine.pause(ids[i], tell);
                expected[ids[i]].second = true;
            } else if (!expected[ids[i]].second) {
                engine.die(ids[i], 1, tell);
                expected.erase(ids[i]);
            }
        }
        if (round % 5 == 4) engine.drop_connections();
    }
    CHECK(watched.wait_for_alive(expected));
    REQUIRE(watched.wait_for(EngineState::watching));
    for (const std::string& id : ids) {
        const std::string history = watched.history(id);
        CAPTURE(history);
        // Started and exited take turns, beginning with started.
        bool alive = false;
        std::size_t at = 0;
        while ((at = history.find_first_of("se", at)) != std::string::npos) {
            const bool start = history.compare(at, 7, "started") == 0;
            const bool end = history.compare(at, 6, "exited") == 0;
            if (start || end) {
                CHECK(start != alive);
                alive = start;
            }
            at = history.find(' ', at);
            if (at == std::string::npos) break;
        }
        CHECK(alive == expected.contains(id));
    }
}
