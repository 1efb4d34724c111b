// What the run tracker makes of ends that are told badly or not at all, of answers that do not come, and of
// many.
#include "tests/unit/tracker_hand.h"

using namespace shorewatch;
using namespace shorewatch::testing;
using namespace std::chrono_literals;

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
