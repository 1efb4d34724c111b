// The watch rules, one by one, on the run tracker.
#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "daemon/run_tracker.h"
#include "tests/unit/catch.h"

using namespace shorewatch;
using namespace std::chrono_literals;

namespace {

using Type = ContainerEvent::Type;

RealTime at(int seconds) {
    return RealTime{std::chrono::seconds(seconds)};
}

ContainerPtr make(int started, std::uint32_t pid, const std::string& name = "web") {
    auto container = std::make_shared<Container>();
    container->id = "c";
    container->name = name;
    container->pid = pid;
    if (started > 0) container->started = at(started);
    return container;
}

ContainerPtr outline(const std::string& name = "web") {
    return make(0, 0, name);
}

Inspection alive(int started, std::uint32_t pid, bool paused = false) {
    return {make(started, pid)->with_paused(paused), true, {}, {}, false};
}

Inspection dead(int started, int finished, int exit_code) {
    return {make(started, 0), false, exit_code, at(finished), false};
}

// Drives a tracker by hand; told is what it published, a word each.
struct Hand : RunTracker::Output {
    Portfolio portfolio;
    RunTracker tracker{portfolio, *this};
    std::deque<std::string> asked;
    std::vector<std::string> told;
    std::vector<std::string> names;               // of the containers in what was told of starts and ends
    std::vector<std::optional<RealTime>> starts;  // when, as it was told
    Clock::time_point now{};
    bool process_lives = false;  // as the kernel has it

    Hand() { tracker.on_list_asked(at(100)); }
    Hand(const Hand&) = delete;
    Hand& operator=(const Hand&) = delete;
    virtual ~Hand() = default;

    void inspect(const std::string& id) override { asked.push_back(id); }
    [[nodiscard]] bool lives(const std::string& /*id*/) override { return process_lives; }
    void publish(Change change) override {
        std::visit([this](const auto& c) { note(c); }, change);
    }

    void event(Type type, int time, std::optional<int> code = {}, const std::string& name = "web") {
        tracker.on_event({type, outline(name), at(time), code}, now);
    }
    // From an engine whose events have the pid.
    void event_of(std::uint32_t pid, Type type, int time, std::optional<int> code) {
        tracker.on_event({type, make(0, pid), at(time), code}, now);
    }
    void list(const std::vector<ContainerPtr>& entries) { tracker.on_list(entries, now); }
    void answer(const Result<Inspection>& result) {
        REQUIRE_FALSE(asked.empty());
        const std::string id = asked.front();
        asked.pop_front();
        tracker.on_inspected(id, result, now);
    }
    void pass(Clock::duration time) {
        now += time;
        tracker.on_deadline(now);
    }
    // What was told since the last call.
    std::string take() {
        std::string words;
        for (const std::string& word : told)
            words += (words.empty() ? "" : " ") + word;
        told.clear();
        return words;
    }

  private:
    static std::string cause(Cause cause) {
        return cause == Cause::event ? "" : std::string("/") + to_string(cause);
    }
    void note(const ContainerStarted& c) {
        names.push_back(c.container->name);
        starts.push_back(c.time);
        told.push_back((c.container->pid != 0 ? "started:" + std::to_string(c.container->pid) : "started") +
                       cause(c.cause));
    }
    void note(const ContainerExited& c) {
        names.push_back(c.container->name);
        const std::string code = c.exit_code ? std::to_string(*c.exit_code) : "?";
        told.push_back("exited:" + code + (c.oom_killed.value_or(false) ? ":oom" : "") + cause(c.cause));
    }
    void note(const ContainerPaused& c) { told.push_back("paused" + cause(c.cause)); }
    void note(const ContainerUnpaused& c) { told.push_back("unpaused" + cause(c.cause)); }
    void note(const ContainerRenamed& c) { told.push_back("renamed:" + c.container->name + cause(c.cause)); }
    void note(const EngineChanged&) {}
};

const EngineError none{EngineError::Kind::not_found, "no such container"};
const EngineError hung{EngineError::Kind::timeout, "no answer"};

// A hand that has published one container, with pid 7, started at 200.
struct Published final : Hand {
    Published() {
        list({});
        event(Type::started, 201);
        answer(alive(200, 7));
        REQUIRE(take() == "started:7");
    }
};

}  // namespace

TEST_CASE("rule 1: what is told while the list is under way is neither lost nor revived by it") {
    Hand hand;
    hand.event(Type::started, 201);
    hand.answer(alive(200, 7));
    hand.event(Type::exited, 202, 3);
    CHECK(hand.take() == "started:7 exited:3");
    hand.list({outline()});  // made before it ended
    CHECK(hand.asked.empty());
    CHECK(hand.take().empty());
}

TEST_CASE("rule 1: what ended before the watch began is not told, though the engine replays it") {
    Hand hand;
    hand.event(Type::started, 98);
    hand.event(Type::exited, 99, 0);
    CHECK(hand.asked.empty());
    hand.list({});
    CHECK(hand.take().empty());
}

TEST_CASE("rule 2: a start or an end that is told again makes no second signal") {
    Published hand;
    hand.event(Type::started, 201);
    hand.answer(alive(200, 7));
    hand.event(Type::exited, 205, 1);
    hand.event(Type::exited, 205, 1);
    hand.event(Type::started, 201);
    CHECK(hand.asked.empty());
    CHECK(hand.take() == "exited:1");
}

TEST_CASE("rule 2: a restart is two runs, told apart by pid and start") {
    Published hand;
    hand.event(Type::exited, 205, 0);
    hand.event(Type::started, 206);
    hand.answer(alive(206, 8));
    CHECK(hand.take() == "exited:0 started:8");
}

TEST_CASE("rule 2: the end of an earlier run is not the end of this one") {
    Published hand;
    hand.event(Type::exited, 150, 9);
    hand.answer(alive(200, 7));
    CHECK(hand.take().empty());
    CHECK(hand.portfolio.container_total() == 1);
}

TEST_CASE(
    "rule 2: the end of an earlier run, told and stamped after this one's start, is not the end of this "
    "one") {
    SECTION("whose process lives") {
        Published hand;
        hand.process_lives = true;
        hand.event(Type::exited, 205, 9);
        hand.answer(alive(200, 7));
        CHECK(hand.take().empty());
        hand.process_lives = false;
        hand.event(Type::exited, 206, 3);
        CHECK(hand.take() == "exited:3");
    }
    SECTION("that is being inspected") {
        Hand hand;
        hand.list({});
        hand.event(Type::started, 201);
        hand.event(Type::exited, 205, 9);
        hand.answer(alive(200, 7));
        hand.answer(alive(200, 7));
        CHECK(hand.take() == "started:7");
        hand.event(Type::exited, 206, 3);
        CHECK(hand.take() == "exited:3");
    }
}

TEST_CASE("rule 2: an engine that still has alive what the kernel has ended does not bring it back") {
    Published hand;
    hand.tracker.on_stream_lost();
    hand.tracker.on_process_exit("c", 7, {Cause::kernel, at(210), 137, {}, false, {}}, hand.now);
    CHECK(hand.take() == "exited:137/kernel");
    hand.tracker.on_list_asked(at(205));
    SECTION("and tells so in its list") {
        hand.list({make(200, 7)});
    }
    SECTION("and tells so when it is inspected") {
        hand.list({outline()});
        hand.answer(alive(200, 7));
    }
    SECTION("and has it no more when it is inspected") {
        hand.list({outline()});
        hand.answer(none);
    }
    hand.pass(RunTracker::hold);
    CHECK(hand.take().empty());
    CHECK(hand.portfolio.container_total() == 0);
}

TEST_CASE("rule 2: an end that is told again, later and as that of a dead shim, ends nothing") {
    Published hand;
    hand.event(Type::exited, 210, 3);
    CHECK(hand.take() == "exited:3");
    hand.tracker.on_stream_lost();
    hand.tracker.on_list_asked(at(210));
    SECTION("while its engine lists it as alive") {
        hand.list({outline()});
        hand.event_of(7, Type::exited, 290, 137);
        hand.answer(
            GENERATE(Result<Inspection>(dead(200, 290, 137)), Result<Inspection>(alive(200, 7)), none));
    }
    SECTION("after it was listed no more") {
        hand.list({});
        hand.event_of(7, Type::exited, 290, 137);
        CHECK(hand.asked.empty());
    }
    hand.pass(RunTracker::hold);
    CHECK(hand.take().empty());
    SECTION("and the next run is told") {
        hand.event(Type::started, 300);
        while (!hand.asked.empty())
            hand.answer(alive(300, 8));
        CHECK(hand.take() == "started:8");
    }
}

TEST_CASE("rule 2: an end without a start or a process, of what ended before, is not another's") {
    Published hand;
    hand.event(Type::exited, 210, 3);
    CHECK(hand.take() == "exited:3");
    hand.event(Type::exited, 290, 137);
    hand.answer(dead(0, 290, 137));
    hand.pass(RunTracker::hold);
    CHECK(hand.take().empty());
}

TEST_CASE("rule 2: a run that its engine has with the start of the one before is told apart by its pid") {
    Published hand;
    hand.tracker.on_stream_lost();
    hand.tracker.on_process_exit("c", 7, {Cause::kernel, at(210), 137, {}, false, {}}, hand.now);
    hand.tracker.on_list_asked(at(205));
    hand.list({outline()});
    hand.answer(alive(200, 8));
    CHECK(hand.take() == "exited:137/kernel started:8/resync");
    CHECK_FALSE(hand.starts.back());
}

TEST_CASE(
    "rule 2: a run that its engine has with the start of the one before began when its own event says") {
    Published hand;
    hand.event(Type::started, 220);
    hand.answer(alive(200, 8));
    CHECK(hand.take() == "exited:?/resync started:8");
    CHECK(hand.starts.back() == at(220));
}

TEST_CASE("rule 2: when the engine's clock was set back, an inspection tells the end from an old event") {
    Published hand;
    hand.event(Type::exited, 150, 9);
    hand.answer(dead(200, 151, 9));
    CHECK(hand.take() == "exited:9");
}

TEST_CASE("rule 3: after a gap the difference is told, and what stayed is not") {
    Published hand;
    hand.tracker.on_stream_lost();
    hand.tracker.on_list_asked(at(201));
    SECTION("it stayed") {
        hand.list({outline()});
        hand.answer(alive(200, 7));
        CHECK(hand.take().empty());
    }
    SECTION("it ended, and the engine still knows how") {
        hand.list({});
        CHECK(hand.tracker.unsettled() == 1);
        hand.answer(dead(200, 300, 4));
        CHECK(hand.take() == "exited:4/resync");
        CHECK(hand.tracker.unsettled() == 0);
    }
    SECTION("it ended, and is removed") {
        hand.list({});
        hand.answer(none);
        CHECK(hand.take() == "exited:?/resync");
    }
    SECTION("it ended, and the engine does not say how") {
        hand.list({});
        hand.pass(RunTracker::hold);
        CHECK(hand.take() == "exited:?/resync");
    }
    SECTION("it was restarted") {
        hand.list({make(190, 8)});
        CHECK(hand.take() == "exited:?/resync started:8/resync");
    }
    SECTION("it was paused and renamed") {
        hand.list({outline()});
        Inspection now = alive(200, 7, true);
        now.container = now.container->with_name("new");
        hand.answer(now);
        CHECK(hand.take() == "renamed:new/resync paused/resync");
    }
    SECTION("the list left it out by mistake") {
        hand.list({});
        hand.answer(alive(200, 7));
        hand.pass(RunTracker::hold);
        CHECK(hand.take().empty());
        CHECK(hand.portfolio.container_total() == 1);
    }
}

TEST_CASE("rule 4: the kernel's word ends a run, and the engine's later one does not end it again") {
    Published hand;
    hand.tracker.on_process_exit("c", 7, {Cause::kernel, at(210), 137, {}, false, {}}, hand.now);
    CHECK(hand.take() == "exited:137/kernel");
    hand.event(Type::exited, 211, 137);
    CHECK(hand.take().empty());
    hand.event(Type::started, 212);
    hand.answer(alive(212, 8));
    CHECK(hand.take() == "started:8");
    hand.tracker.on_process_exit("c", 7, {Cause::kernel, at(213), 0, {}, false, {}},
                                 hand.now);  // another process
    CHECK(hand.take().empty());
}

TEST_CASE("rule 4: a run that began before the kernel's word on the one before it was heard is told") {
    Published hand;
    SECTION("with the exit code") {
        hand.tracker.on_process_exit("c", 7, {Cause::kernel, at(220), 137, {}, false, {}}, hand.now);
        CHECK(hand.take() == "exited:137/kernel");
        hand.event(Type::exited, 211, 137);
    }
    SECTION("without") {
        hand.tracker.on_process_exit("c", 7, {Cause::kernel, at(220), {}, {}, false, {}}, hand.now);
        hand.event(Type::exited, 211, 5);
        CHECK(hand.take() == "exited:5/kernel");
    }
    hand.event(Type::started, 212);
    while (!hand.asked.empty())
        hand.answer(alive(212, 8));
    CHECK(hand.take() == "started:8");
}

TEST_CASE("rule 4: where the kernel can't tell the exit code, the engine has a second to") {
    Published hand;
    hand.tracker.on_process_exit("c", 7, {Cause::kernel, at(210), {}, {}, false, {}}, hand.now);
    CHECK(hand.take().empty());
    SECTION("and does") {
        hand.event(Type::exited, 211, 5);
        CHECK(hand.take() == "exited:5/kernel");
    }
    SECTION("and does not") {
        hand.pass(RunTracker::hold - 1ms);
        CHECK(hand.take().empty());
        hand.pass(1ms);
        CHECK(hand.take() == "exited:?/kernel");
    }
    SECTION("and the next run has begun") {
        hand.event(Type::started, 212);
        CHECK(hand.take() == "exited:?/kernel");
    }
}

TEST_CASE("rule 5: a start is told when all is known, and with an event's newer name") {
    Hand hand;
    hand.list({});
    hand.event(Type::started, 201);
    CHECK(hand.take().empty());
    hand.event(Type::renamed, 202, {}, "new");
    hand.answer(alive(200, 7));
    CHECK(hand.take() == "started:7");
    CHECK(hand.portfolio.find("c")->name == "new");
}

TEST_CASE("rule 6: a run too short to be inspected is told from its events alone") {
    Hand hand;
    hand.list({});
    hand.event(Type::started, 201);
    hand.event(Type::exited, 202, 0);
    SECTION("since it is gone") {
        hand.answer(none);
    }
    SECTION("since it is over") {
        hand.answer(dead(200, 202, 0));
    }
    SECTION("since it was inspected just before its end") {
        hand.answer(alive(200, 7));
        CHECK(hand.take().empty());
        hand.answer(dead(200, 202, 0));
    }
    SECTION("since nobody answers") {
        hand.pass(RunTracker::hold);
    }
    CHECK(hand.take() == "started exited:0");
    CHECK(hand.portfolio.container_total() == 0);
}

TEST_CASE("rule 6: what an inspection finds dead is told with what it found, once") {
    Hand hand;
    hand.list({});
    hand.event(Type::started, 201);
    hand.answer(dead(200, 202, 3));
    CHECK(hand.take() == "started exited:3");
    hand.event(Type::exited, 203, 3);
    CHECK(hand.take().empty());
}

TEST_CASE("rule 7: nothing ends because the engine is away") {
    Published hand;
    hand.tracker.on_stream_lost();
    hand.pass(1h);
    CHECK(hand.take().empty());
    CHECK(hand.portfolio.container_total() == 1);
}

TEST_CASE("rule 8: pauses before the inspection are applied, the last one counting") {
    Hand hand;
    hand.list({});
    hand.event(Type::started, 201);
    hand.event(Type::paused, 202);
    hand.event(Type::unpaused, 203);
    hand.event(Type::paused, 204);
    hand.answer(alive(200, 7, false));
    CHECK(hand.take() == "started:7 paused");
    hand.event(Type::unpaused, 205);
    CHECK(hand.take() == "unpaused");
}

TEST_CASE("rule 9: a rename changes the name and nothing else") {
    Published hand;
    hand.event(Type::renamed, 205, {}, "new");
    hand.event(Type::renamed, 205, {}, "new");
    CHECK(hand.take() == "renamed:new");
    CHECK(hand.portfolio.find("c")->pid == 7);
}

TEST_CASE("an out-of-memory kill is told with the end of its run, and not with the next") {
    Published hand;
    hand.event(Type::oom, 202);
    hand.event(Type::exited, 203, 137);
    hand.event(Type::started, 204);
    hand.answer(alive(204, 8));
    hand.event(Type::exited, 205, 0);
    CHECK(hand.take() == "exited:137:oom started:8 exited:0");
}

TEST_CASE("a container that is removed without a word on its end has ended") {
    SECTION("its run was published") {
        Published hand;
        hand.event(Type::removed, 205);
        CHECK(hand.take().empty());
        hand.answer(none);
        CHECK(hand.take().empty());
        hand.pass(RunTracker::hold);
        CHECK(hand.take() == "exited:?");
        CHECK(hand.portfolio.container_total() == 0);
    }
    SECTION("its run was published, and its end is told after all") {
        Published hand;
        hand.event(Type::removed, 205);
        hand.event(Type::exited, 204, 3);
        hand.answer(none);
        CHECK(hand.take() == "exited:3");
        hand.event(Type::exited, 204, 3);
        hand.pass(RunTracker::hold);
        CHECK(hand.take().empty());
    }
    SECTION("its run was published, and its end is told later still") {
        Published hand;
        hand.event(Type::removed, 205);
        hand.answer(none);
        hand.event(Type::exited, 204, 3);
        CHECK(hand.take() == "exited:3");
    }
    SECTION("its run was not published yet") {
        Hand hand;
        hand.list({});
        hand.event(Type::started, 201);
        hand.event(Type::removed, 202);
        hand.answer(none);
        CHECK(hand.take() == "started exited:?");
    }
    SECTION("its end was told") {
        Published hand;
        hand.event(Type::exited, 204, 3);
        hand.event(Type::removed, 205);
        CHECK(hand.take() == "exited:3");
        CHECK(hand.asked.empty());
    }
    SECTION("it never ran") {
        Hand hand;
        hand.list({});
        hand.event(Type::removed, 205);
        hand.pass(2s);
        CHECK(hand.take().empty());
        CHECK(hand.asked.empty());
    }
}

TEST_CASE("an exit code that a label has forged is asked of the engine") {
    Hand hand;
    hand.list({});
    auto forging = std::make_shared<Container>(*outline());
    forging->exit_events_tell_code = false;
    hand.tracker.on_event({Type::started, forging, at(201), {}}, hand.now);
    auto complete = std::make_shared<Container>(*make(200, 7));
    complete->exit_events_tell_code = false;
    hand.answer(Inspection{complete, true, {}, {}, false});
    hand.event(Type::exited, 205, 99);
    CHECK(hand.take() == "started:7");
    hand.answer(dead(200, 205, 3));
    CHECK(hand.take() == "exited:3");
}

TEST_CASE("a run too short to be inspected alive has its name, where events tell the id alone") {
    auto nameless = std::make_shared<Container>(*outline("c"));
    nameless->by_id_alone = true;
    Hand hand;
    hand.list({});
    const bool start_was_told = GENERATE(true, false);
    CAPTURE(start_was_told);
    if (start_was_told) hand.tracker.on_event({Type::started, nameless, at(201), {}}, hand.now);
    hand.tracker.on_event({Type::exited, nameless, at(202), 7}, hand.now);
    CHECK(hand.take().empty());
    SECTION("when an inspection finds it over") {
        hand.answer(dead(201, 202, 7));
        CHECK(hand.take() == "started exited:7");
        CHECK(hand.names == std::vector<std::string>{"web", "web"});
    }
    if (start_was_told) SECTION("when an inspection was made just before it was over") {
            hand.answer(alive(201, 9));
            hand.answer(none);
            CHECK(hand.take() == "started exited:7");
            CHECK(hand.names == std::vector<std::string>{"web", "web"});
        }
    SECTION("and else its id, when it is gone") {
        hand.answer(none);
        CHECK(hand.take() == "started exited:7");
        CHECK(hand.names == std::vector<std::string>{"c", "c"});
    }
    SECTION("and else its id, when nobody answers in time") {
        hand.pass(9s);
        CHECK(hand.take().empty());
        hand.pass(2s);
        CHECK(hand.take() == "started exited:7");
        CHECK(hand.names == std::vector<std::string>{"c", "c"});
    }
}

TEST_CASE("an inspection that hangs is tried again, and holds up nobody's end") {
    Hand hand;
    hand.list({});
    hand.event(Type::started, 201);
    hand.answer(hung);
    CHECK(hand.take().empty());
    hand.pass(1s);
    hand.answer(hung);
    hand.pass(1s);
    CHECK(hand.asked.empty());  // waits longer each time
    hand.pass(1s);
    hand.answer(alive(200, 7));
    CHECK(hand.take() == "started:7");

    hand.event(Type::started, 210);
    hand.event(Type::exited, 211, 5);
    hand.answer(hung);
    CHECK(hand.take() == "exited:5");
}

TEST_CASE("ten thousand containers that came and went leave nothing behind but the last") {
    Hand hand;
    hand.list({});
    for (int i = 0; i < 10'000; ++i) {
        auto container = std::make_shared<Container>();
        container->id = std::to_string(i);
        hand.tracker.on_event({Type::started, container, at(200 + i), {}}, hand.now);
        hand.tracker.on_event({Type::exited, container, at(200 + i), 0}, hand.now);
        hand.answer(none);
    }
    CHECK(hand.told.size() == 20'000);
    hand.pass(RunTracker::hold);
    CHECK_FALSE(hand.tracker.next_deadline());
}
