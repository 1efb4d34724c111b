// The watch rules, one by one, on the run tracker.
#include "tests/unit/tracker_hand.h"

using namespace shorewatch;
using namespace shorewatch::testing;
using namespace std::chrono_literals;

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
