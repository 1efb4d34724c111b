// shorewatchctl wait and monitor: when a wait is over, and what a program is told of an event.
#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "dbus/ctl/container_wait.h"
#include "dbus/ctl/event_environment.h"
#include "dbus/ctl/exit_code.h"
#include "dbus/ctl/project_wait.h"
#include "tests/unit/catch.h"
#include "tests/unit/ctl_samples.h"

using namespace shorewatch;
using namespace shorewatch::ctl;
using namespace shorewatch::testing;

namespace {

using Kind = WatchEvent::Kind;
using Code = std::optional<int>;

WatchEvent event(Kind kind, const std::string& name, Properties details = {}) {
    WatchEvent result;
    result.kind = kind;
    result.engine = "docker";
    result.project = "shop";
    result.name = name;
    result.id = name.empty() ? "" : name + "-0123456789abcdef";
    result.path = "/containers/" + name;
    result.sequence = 1;
    result.details = std::move(details);
    return result;
}

WatchEvent present(const std::string& name, std::uint32_t pid, bool paused = false) {
    return event(Kind::present, name, {{"PID", sdbus::Variant(pid)}, {"Paused", sdbus::Variant(paused)}});
}

WatchEvent started(const std::string& name, std::uint32_t pid) {
    return event(Kind::started, name, {{"PID", sdbus::Variant(pid)}});
}

WatchEvent exited(const std::string& name, std::int32_t code) {
    return event(Kind::exited, name, {{"ExitCode", sdbus::Variant(code)}});
}

const WatchEvent listed = event(Kind::synchronized, "");
const WatchEvent gone = event(Kind::daemon_down, "");

std::vector<EngineInfo> docker(const std::string& state) {
    return {engine("docker", state)};
}

// The code of the error that call ends with.
template <typename Call>
Code error_of(const Call& call) {
    try {
        static_cast<void>(call());
    } catch (const CommandError& error) {
        return static_cast<int>(error.code());
    }
    return std::nullopt;
}

}  // namespace

TEST_CASE("a wait ends with the exit code of the container that it has found") {
    ContainerWait wait(WaitFor::exited, "web", std::nullopt);
    CHECK(wait.take(present("db", 1)) == Code());
    CHECK(wait.take(present("web", 2)) == Code());
    CHECK(wait.take(listed) == Code());
    CHECK_FALSE(wait.asks_for_engines());
    CHECK(wait.take(exited("db", 1)) == Code());
    CHECK(wait.take(exited("web", 3)) == Code(3));
}

TEST_CASE("what no engine has is an error once each was listed or can't be") {
    ContainerWait wait(WaitFor::exited, "web", std::nullopt);
    CHECK(wait.take(listed) == Code());
    CHECK(wait.asks_for_engines());
    for (const char* const state : {"connecting", "synchronizing"})
        CHECK(wait.take(docker(state)) == Code());
    for (const char* const state : {"watching", "unavailable", "lost"}) {
        ContainerWait other(WaitFor::paused, "web", std::nullopt);
        CHECK(other.take(listed) == Code());
        CHECK(error_of([&] { return other.take(docker(state)); }) == Code(3));
    }
    CHECK(wait.take(started("web", 2)) == Code());
    CHECK(wait.take(docker("watching")) == Code());
    CHECK(wait.take(exited("web", 0)) == Code(0));
}

TEST_CASE("of another daemon, only a watched engine's word counts, and only for the same run") {
    ContainerWait wait(WaitFor::exited, "web", std::nullopt);
    CHECK(wait.take(present("web", 2)) == Code());
    CHECK(wait.take(listed) == Code());
    CHECK(wait.take(gone) == Code());
    CHECK_FALSE(wait.asks_for_engines());
    CHECK(wait.take(listed) == Code());
    for (const char* const state : {"unavailable", "connecting", "synchronizing", "lost"}) {
        CHECK(wait.asks_for_engines());
        CHECK(wait.take(docker(state)) == Code());
    }
    CHECK(wait.take({engine("other", "watching")}) == Code());

    SECTION("it is there") {
        CHECK(wait.take(started("web", 2)) == Code());
        CHECK(wait.take(docker("watching")) == Code());
        CHECK(wait.take(exited("web", 4)) == Code(4));
    }
    SECTION("it is not") {
        CHECK(error_of([&] { return wait.take(docker("watching")); }) == Code(125));
    }
    SECTION("another run of it is there") {
        CHECK(error_of([&] { return wait.take(started("web", 3)); }) == Code(125));
    }
}

TEST_CASE("runs without a pid are told from each other by when they began") {
    const auto at = [](std::uint64_t time) {
        return event(Kind::present, "web", {{"StartedAt", sdbus::Variant(time)}});
    };
    ContainerWait wait(WaitFor::exited, "web", std::nullopt);
    CHECK(wait.take(at(5)) == Code());
    CHECK(wait.take(listed) == Code());
    CHECK(wait.take(gone) == Code());
    CHECK(wait.take(at(5)) == Code());
    CHECK(wait.take(event(Kind::present, "web")) == Code());  // nothing is known: nothing is wrong
    CHECK(error_of([&] { return wait.take(at(6)); }) == Code(125));
}

TEST_CASE("a pause is over when the container is, too") {
    ContainerWait paused(WaitFor::paused, "web", std::nullopt);
    CHECK(paused.take(present("web", 2)) == Code());
    CHECK(paused.take(listed) == Code());
    CHECK(error_of([&] { return paused.take(exited("web", 0)); }) == Code(3));
    ContainerWait was(WaitFor::paused, "web", std::nullopt);
    CHECK(was.take(present("web", 2, true)) == Code());
    CHECK(was.take(listed) == Code(0));
    ContainerWait unpaused(WaitFor::unpaused, "web", std::nullopt);
    CHECK(unpaused.take(present("web", 2, true)) == Code());
    CHECK(unpaused.take(listed) == Code());
    CHECK(unpaused.take(event(Kind::unpaused, "web")) == Code(0));
}

TEST_CASE("the beginning of an id is no name when it is short") {
    ContainerWait three(WaitFor::started, "web", std::nullopt);
    CHECK(three.take(started("web2", 1)) == Code());
    ContainerWait four(WaitFor::started, "web2", std::nullopt);
    CHECK(four.take(started("web24", 1)) == Code(0));
}

TEST_CASE("a project is over when all of its engines have said so") {
    ProjectWait wait(WaitFor::exited, "shop", std::nullopt);
    CHECK(wait.take(present("web", 1)) == Code());
    WatchEvent elsewhere = present("db", 2);
    elsewhere.engine = "podman";
    CHECK(wait.take(elsewhere) == Code());
    CHECK(wait.take(listed) == Code());
    CHECK(wait.take(gone) == Code());
    CHECK(wait.take(present("web", 1)) == Code());
    CHECK(wait.take(listed) == Code());
    CHECK(wait.take(exited("web", 1)) == Code());
    CHECK(wait.take({engine("docker", "watching"), engine("podman", "connecting")}) == Code());
    CHECK(wait.asks_for_engines());
    CHECK(wait.take({engine("docker", "watching"), engine("podman", "watching")}) == Code(0));
}

TEST_CASE("a program is told nothing of an earlier event") {
    const std::vector<std::string> inherited = {"PATH=/bin", "SHOREWATCH_EXIT_CODE=0", "SHOREWATCHER=stays"};
    WatchEvent one = event(Kind::exited, "web", {{"ExitCode", sdbus::Variant(std::int32_t{7})}});
    CHECK(event_environment(one, inherited) ==
          std::vector<std::string>{"PATH=/bin", "SHOREWATCHER=stays", "SHOREWATCH_EVENT=exited",
                                   "SHOREWATCH_ENGINE=docker", "SHOREWATCH_PATH=/containers/web",
                                   "SHOREWATCH_SEQUENCE=1", "SHOREWATCH_CONTAINER_ID=web-0123456789abcdef",
                                   "SHOREWATCH_CONTAINER_NAME=web", "SHOREWATCH_PROJECT=shop",
                                   "SHOREWATCH_EXIT_CODE=7"});
    CHECK(event_environment(gone, {}).front() == "SHOREWATCH_EVENT=daemon-down");
}
