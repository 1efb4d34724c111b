// What is told of the ends of processes that are watched, and when.
#include <csignal>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "daemon/processes/exit_watch.h"
#include "tests/fakes/drive.h"
#include "tests/fakes/leak_check.h"
#include "tests/unit/catch.h"
#include "tests/unit/child_process.h"

using namespace shorewatch;
using fakes::drive;

namespace {

// readable: how it ended is seen before it is waited for.
InitProcessPtr process_of(const ChildProcess& child, bool with_descriptor = true, bool readable = false) {
    InitProcess::Facts facts;
    facts.readable = readable;
    facts.process = process_with(child.pid()).value();
    UniqueFd pidfd = with_descriptor ? open_pidfd(child.pid()) : UniqueFd();
    REQUIRE(static_cast<bool>(pidfd) == with_descriptor);
    return std::make_shared<const InitProcess>(std::move(facts), std::move(pidfd), DescriptorBudget::Share());
}

// What is told: "web:7", and "web:?" without an exit code.
struct Watch {
    struct Told {
        std::string what;
        std::uint32_t pid;
        ExitReport report;
    };

    EventLoop loop;
    std::vector<Told> told;
    std::function<void(const std::string& id)> then = [](const std::string&) {};
    ExitWatch exits{loop, [this](const std::string& id, std::uint32_t pid, const ExitReport& report) {
                        const auto& code = report.exit_code;
                        told.push_back({id + ":" + (code ? std::to_string(*code) : "?"), pid, report});
                        then(id);
                    }};

    [[nodiscard]] std::vector<std::string> words() const {
        std::vector<std::string> all;
        for (const Told& one : told)
            all.push_back(one.what);
        return all;
    }
    [[nodiscard]] bool wait_for(const std::vector<std::string>& expected) {
        if (drive(loop, [&] { return told.size() >= expected.size(); })) return words() == expected;
        return false;
    }
    // All that there is to tell by now has been told: another process that ended later was. The loop tells of
    // those that are ready at the same time in one round.
    void let_all_be_told() {
        bool over = false;
        ChildProcess last;
        ExitWatch other(loop, [&](const std::string&, std::uint32_t, const ExitReport&) { over = true; });
        other.watch("last", process_of(last));
        last.kill();  // and told when the patience with its parent is over, which is later than any other's
        REQUIRE(drive(loop, [&] { return over; }));
    }
};

std::string told_of(const char* id, int code) {
    return std::string(id) + ":" + (kernel_tells_exit_codes() ? std::to_string(code) : "?");
}

}  // namespace

TEST_CASE("the end of a process is told once, with how it ended where the kernel knows") {
    const fakes::LeakCheck leaks;
    const auto [signal, code] = GENERATE(table<int, int>({{SIGTERM, 7}, {SIGKILL, 137}}));
    Watch watch;
    ChildProcess child(exit_when_told<7>);
    const std::uint32_t pid = child.pid();
    watch.exits.watch("web", process_of(child));
    const RealTime before = real_time_now();
    child.kill(signal);
    child.end();
    REQUIRE(watch.wait_for({told_of("web", code)}));
    const Watch::Told& told = watch.told.front();
    CHECK(told.pid == pid);
    CHECK(told.report.cause == Cause::kernel);
    REQUIRE(told.report.time);
    CHECK(*told.report.time >= before);
    CHECK_FALSE(told.report.oom_killed);
    CHECK_FALSE(told.report.told_by_event);
    watch.let_all_be_told();
    CHECK(watch.told.size() == 1);
}

TEST_CASE("a process that had ended before it was watched is told of too") {
    Watch watch;
    ChildProcess child(exit_when_told<7>);
    const InitProcessPtr process = process_of(child);
    child.kill(SIGTERM);
    child.end();
    watch.exits.watch("web", process);
    CHECK(watch.told.empty());  // not within the call
    CHECK(watch.wait_for({told_of("web", 7)}));
}

TEST_CASE("a process that nobody waits for is told of without its exit code, and again with it") {
    Watch watch;
    ChildProcess child(exit_when_told<7>);
    watch.exits.watch("web", process_of(child));
    child.kill(SIGTERM);
    REQUIRE(watch.wait_for({"web:?"}));
    watch.let_all_be_told();
    CHECK(watch.told.size() == 1);
    const auto first = watch.told.front().report.time;
    child.end();
    if (kernel_tells_exit_codes()) {
        REQUIRE(watch.wait_for({"web:?", "web:7"}));
        CHECK(watch.told.back().report.time == first);
    }
    watch.let_all_be_told();
    CHECK(watch.told.size() == (kernel_tells_exit_codes() ? 2 : 1));
}

TEST_CASE("how a process ended that we may look at is told before it is waited for") {
    const auto [signal, code] = GENERATE(table<int, int>({{SIGTERM, 0}, {SIGKILL, 137}, {SIGUSR1, 138}}));
    Watch watch;
    ChildProcess child(exit_when_told<0>);
    watch.exits.watch("web", process_of(child, true, true));
    child.kill(signal);
    if (kernel_tells_exit_codes()) {
        REQUIRE(watch.wait_for({"web:" + std::to_string(code)}));
        CHECK(watch.told.front().report.time);
    }
    child.end();
    watch.let_all_be_told();
    CHECK(watch.told.size() == 1);
}

TEST_CASE("many that nobody waits for are each told of") {
    Watch watch;
    std::vector<std::unique_ptr<ChildProcess>> children;
    for (int i = 0; i < 20; ++i) {
        children.push_back(std::make_unique<ChildProcess>());
        watch.exits.watch("c" + std::to_string(i), process_of(*children.back()));
        if (i % 2 == 0) children.back()->kill();
    }
    CHECK(drive(watch.loop, [&] { return watch.told.size() == 10; }));
    for (const auto& child : children)
        child->kill();
    CHECK(drive(watch.loop, [&] { return watch.told.size() == 20; }));
}

TEST_CASE("what is forgotten is not told of") {
    Watch watch;
    SECTION("before it ended") {
        ChildProcess child;
        watch.exits.watch("web", process_of(child));
        watch.exits.forget("web");
        child.end();
    }
    SECTION("when it had ended") {
        ChildProcess child;
        watch.exits.watch("web", process_of(child));
        child.end();
        watch.exits.forget("web");
    }
    SECTION("never watched") {
        watch.exits.forget("web");
    }
    watch.let_all_be_told();
    CHECK(watch.told.empty());
}

TEST_CASE("within the word on its end a process may be forgotten, and another be watched in its place") {
    Watch watch;
    ChildProcess first;
    ChildProcess second(exit_when_told<8>);
    const bool waited_for = GENERATE(true, false);
    watch.exits.watch("web", process_of(first));
    bool replace = GENERATE(true, false);
    const InitProcessPtr next = process_of(second);
    watch.then = [&](const std::string& id) {
        watch.exits.forget(id);
        if (std::exchange(replace, false)) watch.exits.watch(id, next);
    };
    const bool replaced = replace;
    waited_for ? first.end() : first.kill();
    const std::string of_first = waited_for ? told_of("web", 137) : "web:?";
    REQUIRE(watch.wait_for({of_first}));
    first.end();
    second.kill(SIGTERM);
    second.end();
    if (replaced) CHECK(watch.wait_for({of_first, told_of("web", 8)}));
    watch.let_all_be_told();
    CHECK(watch.told.size() == (replaced ? 2 : 1));
}

TEST_CASE("all may be forgotten within the word on one") {
    Watch watch;
    ChildProcess one;
    ChildProcess another;
    watch.exits.watch("one", process_of(one));
    watch.exits.watch("another", process_of(another));
    watch.then = [&](const std::string&) {
        watch.exits.forget("one");
        watch.exits.forget("another");
    };
    const bool waited_for = GENERATE(true, false);
    waited_for ? one.end() : one.kill();
    waited_for ? another.end() : another.kill();
    REQUIRE(drive(watch.loop, [&] { return !watch.told.empty(); }));
    watch.let_all_be_told();
    CHECK(watch.told.size() == 1);
}

TEST_CASE("under the same id the later process is watched, and the earlier one no more") {
    Watch watch;
    ChildProcess first(exit_when_told<7>);
    ChildProcess second(exit_when_told<8>);
    watch.exits.watch("web", process_of(first));
    watch.exits.watch("web", process_of(second));
    first.kill(SIGTERM);
    first.end();
    watch.let_all_be_told();
    CHECK(watch.told.empty());
    const std::uint32_t pid = second.pid();
    second.kill(SIGTERM);
    second.end();
    REQUIRE(watch.wait_for({told_of("web", 8)}));
    CHECK(watch.told.front().pid == pid);
}

TEST_CASE("a process without a descriptor is not watched, nor what was before it under its id") {
    Watch watch;
    ChildProcess first;
    ChildProcess second;
    watch.exits.watch("web", process_of(first));
    watch.exits.watch("web", process_of(second, false));
    first.end();
    second.end();
    watch.let_all_be_told();
    CHECK(watch.told.empty());
}
