// Which runs are known, and since when they are.
#include <chrono>

#include "engines/containerd/known_runs.h"
#include "engines/containerd/namespaces.h"
#include "tests/unit/catch.h"
#include "tests/unit/child_process.h"

using namespace shorewatch;
using namespace shorewatch::containerd;

namespace {

const RealTime stamp{std::chrono::seconds(1700000000)};

}  // namespace

TEST_CASE("a run that was not seen to start began with its process") {
    const auto before = real_time_now();
    const ChildProcess child;
    const auto after = real_time_now();
    KnownRuns runs;
    const auto started = runs.see("a", child.pid());
    REQUIRE(started);
    // In hundredths of a second, rounded down.
    CHECK(*started > before - std::chrono::milliseconds(30));
    CHECK(*started < after + std::chrono::milliseconds(10));
    CHECK(runs.see("a", child.pid()) == started);
    CHECK(runs.see("a", child.pid(), stamp) == started);
    CHECK(runs.started("a", child.pid()) == started);
    CHECK_FALSE(runs.started("a", child.pid() + 1));
}

TEST_CASE("a run that was seen to start began when the engine said so, for ever") {
    const ChildProcess child;
    KnownRuns runs;
    CHECK(runs.see("a", child.pid(), stamp) == stamp);
    CHECK(runs.see("a", child.pid()) == stamp);
    CHECK(runs.see("b", child.pid()) != stamp);
}

TEST_CASE("another process is another run") {
    const ChildProcess one;
    const ChildProcess two;
    KnownRuns runs;
    REQUIRE(runs.see("a", one.pid(), stamp) == stamp);
    const auto second = runs.see("a", two.pid());
    CHECK(second != stamp);
    // The late word on the end of the first is not about the second.
    runs.forget("a", one.pid());
    CHECK(runs.see("a", two.pid()) == second);
    runs.forget("a", two.pid());
    CHECK(runs.size() == 0);
}

TEST_CASE("a process that is gone, or dead and not waited for, does not live") {
    ChildProcess child;
    KnownRuns runs;
    runs.see("a", child.pid(), stamp);
    CHECK(runs.lives("a"));
    runs.forget_dead();
    CHECK(runs.size() == 1);
    SECTION("dead") {
        child.kill();
    }
    SECTION("gone") {
        child.end();
    }
    CHECK_FALSE(runs.lives("a"));
    runs.forget_dead();
    CHECK(runs.size() == 0);
    CHECK_FALSE(runs.lives("b"));
}

TEST_CASE("a process that can't be looked at keeps the stamp, or has none") {
    KnownRuns runs;
    constexpr std::uint32_t nobody = 0x7FFFFFFF;
    CHECK_FALSE(runs.see("a", nobody));
    CHECK(runs.see("b", nobody, stamp) == stamp);
    CHECK(runs.see("b", nobody) == stamp);
    // Its end may have been told already, and be told no more.
    CHECK(runs.size() == 1);
}

TEST_CASE("all namespaces are watched but Docker's and Kubernetes', or those that are named") {
    const Namespaces all({});
    CHECK(all.watches("default"));
    CHECK(all.watches("buildkit"));
    CHECK_FALSE(all.watches("moby"));
    CHECK_FALSE(all.watches("k8s.io"));
    const Namespaces some({"k8s.io", "a"});
    CHECK(some.watches("k8s.io"));
    CHECK(some.watches("a"));
    CHECK_FALSE(some.watches("default"));
}
