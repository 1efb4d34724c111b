// The desk with an engine that is played: what it does when answers and events come in odd orders, or not at
// all.
#include "tests/unit/played_runtime.h"

using namespace shorewatch;
using namespace shorewatch::fakes;
using namespace shorewatch::testing;
using Kind = EngineError::Kind;
using Event = RuntimeEvent::Type;

TEST_CASE("a start is told in order, and its end after the answer, however fast the process is") {
    Fixture fixture;
    fixture.create();
    fixture.start_unanswered();
    fixture.engine.tell(Event::exited, {}, 7, 0);
    CHECK(fixture.story() == "create ok, create init, start init");
    fixture.engine.answer("start ", std::uint32_t{7});
    CHECK(fixture.story() == "start ok, exit init:0");
    // containerd's shims say things again.
    fixture.engine.tell(Event::exited, {}, 7, 0);
    fixture.engine.tell(Event::started, {}, 7);
    fixture.engine.tell(Event::oom);
    CHECK(fixture.story().empty());
    for (std::size_t i = 0; i < fixture.signals.size(); ++i)
        CHECK(fixture.signals[i].sequence == i + 1);
}

TEST_CASE("a start that fails is undone, and told with what a shell would say") {
    Fixture fixture;
    fixture.create();
    fixture.desk->start("web", {}, fixture.reply("start"));
    CHECK(fixture.engine.streams.out.ends_with("web/init-stdout"));
    fixture.engine.refuse<std::uint32_t>("create_task", Kind::program_not_found, "no such program");
    CHECK(fixture.story() == "create ok");
    fixture.engine.done("remove_task");
    CHECK(fixture.story() == "exit init:127, " + Fixture::refused("start", Kind::program_not_found));
    CHECK(fixture.signals.back().error == "no such program");
    // Nothing is in the way of the next one.
    fixture.start();
    CHECK(fixture.story() == "create init, start init, start ok");
    fixture.desk->start("web", {}, fixture.reply("start"));
    CHECK(fixture.story() == Fixture::refused("start", Kind::conflict));
}

TEST_CASE("one call at a time changes a container") {
    Fixture fixture;
    fixture.desk->create("web", "{}", {}, fixture.reply("create"));
    fixture.desk->create("web", "{}", {}, fixture.reply("again"));
    fixture.desk->start("web", {}, fixture.reply("early"));
    CHECK(fixture.story() ==
          Fixture::refused("again", Kind::conflict) + ", " + Fixture::refused("early", Kind::not_found));
    fixture.engine.answer("create_container", ours());
    fixture.desk->start("web", {}, fixture.reply("start"));
    fixture.desk->remove("web", fixture.reply("remove"));
    fixture.desk->delete_task("web", fixture.reply("delete"));
    fixture.desk->start("web", {}, fixture.reply("second"));
    CHECK(fixture.story() == "create ok, " + Fixture::refused("remove", Kind::conflict) + ", " +
                                 Fixture::refused("delete", Kind::conflict) + ", " +
                                 Fixture::refused("second", Kind::conflict));
}

TEST_CASE("a creation that fails leaves nothing, and there is room for another one") {
    Fixture fixture;
    for (int i = 0; i < 3; ++i) {
        fixture.desk->create("web", "{}", {}, fixture.reply("create"));
        fixture.engine.refuse<ContainerRecord>("create_container", Kind::no_image);
        CHECK(fixture.story() == Fixture::refused("create", Kind::no_image));
    }
    CHECK(std::filesystem::is_empty(fixture.folder.path() / "state"));
    fixture.create();
    fixture.desk->create("db", "{}", {}, fixture.reply("create"));
    fixture.desk->create("one-too-many", "{}", {}, fixture.reply("create"));
    CHECK(fixture.story() == "create ok, " + Fixture::refused("create", Kind::busy));
}

TEST_CASE("stdin that is closed early is closed when the engine knows of the process") {
    Fixture fixture;
    fixture.create();
    fixture.desk->start("web", {}, fixture.reply("start"));
    fixture.desk->close_stdin("web", "init", fixture.reply("close"));
    CHECK(fixture.story() == "create ok, close ok");
    CHECK_FALSE(fixture.engine.is_asked("close_stdin "));
    fixture.engine.answer("create_task", std::uint32_t{7});
    CHECK(fixture.engine.is_asked("close_stdin "));
    fixture.engine.answer("start ", std::uint32_t{7});
    fixture.desk->exec("web", "it", "{}", {}, fixture.reply("exec"));
    fixture.desk->close_stdin("web", "it", fixture.reply("close"));
    fixture.engine.done("exec it");
    CHECK_FALSE(fixture.engine.is_asked("close_stdin it"));
    fixture.engine.answer("start it", std::uint32_t{8});
    CHECK(fixture.engine.is_asked("close_stdin it"));
}

TEST_CASE("a process that could not be started can be tried again under its name") {
    Fixture fixture;
    fixture.create();
    fixture.start();
    static_cast<void>(fixture.story());
    fixture.desk->exec("web", "it", "{}", {}, fixture.reply("exec"));
    fixture.desk->exec("web", "it", "{}", {}, fixture.reply("again"));
    CHECK(fixture.story() == Fixture::refused("again", Kind::conflict));
    fixture.engine.done("exec it", EngineError{Kind::conflict, "paused"});
    // No event: there was never anything.
    CHECK(fixture.story() == Fixture::refused("exec", Kind::conflict));
    fixture.desk->exec("web", "it", "{}", {}, fixture.reply("exec"));
    fixture.engine.done("exec it");
    fixture.engine.refuse<std::uint32_t>("start it", Kind::program_not_executable);
    fixture.engine.answer("delete_process it", ProcessEnd{});
    CHECK(fixture.story() ==
          "exec-added it, exit it:126, " + Fixture::refused("exec", Kind::program_not_executable));
    fixture.desk->exec("web", "it", "{}", {}, fixture.reply("exec"));
    CHECK(fixture.engine.is_asked("exec it"));
}

TEST_CASE("memory that ran out is told before the end, whichever the engine tells first") {
    Fixture fixture;
    fixture.create();
    fixture.start();
    static_cast<void>(fixture.story());
    SECTION("in order") {
        fixture.engine.tell(Event::oom);
        fixture.engine.tell(Event::exited, {}, 7, 137);
    }
    SECTION("the other way round: the kernel's own count is looked at") {
        fixture.engine.tell(Event::exited, {}, 7, 137);
        CHECK(fixture.story().empty());
        Metrics metrics;
        metrics.figures.push_back({"memory.oom_control.oom_kill", std::uint64_t{1}});
        fixture.engine.answer("metrics", metrics);
        fixture.engine.tell(Event::oom);
    }
    CHECK(fixture.story() == "oom init, exit init:137");
    CHECK(fixture.signals.back().oom_killed == true);
}

TEST_CASE("memory that ran out before the start was answered is told before the end, too") {
    Fixture fixture;
    fixture.create();
    fixture.start_unanswered();
    fixture.engine.tell(Event::exited, {}, 7, 137);
    static_cast<void>(fixture.story());
    Metrics metrics;
    metrics.figures.push_back({"memory.oom_control.oom_kill", std::uint64_t{1}});
    SECTION("the answer comes first") {
        fixture.engine.answer("start ", std::uint32_t{7});
        CHECK(fixture.story() == "start ok");
        fixture.engine.answer("metrics", metrics);
        CHECK(fixture.story() == "oom init, exit init:137");
    }
    SECTION("the count comes first") {
        fixture.engine.answer("metrics", metrics);
        CHECK(fixture.story() == "oom init");
        fixture.engine.answer("start ", std::uint32_t{7});
        CHECK(fixture.story() == "start ok, exit init:137");
    }
    CHECK(fixture.signals.back().oom_killed == true);
}

TEST_CASE("where the shim has died, the other processes have died with it") {
    Fixture fixture;
    fixture.create();
    fixture.start();
    fixture.desk->exec("web", "it", "{}", {}, fixture.reply("exec"));
    fixture.engine.done("exec it");
    fixture.engine.answer("start it", std::uint32_t{8});
    static_cast<void>(fixture.story());
    fixture.engine.tell(Event::exited, {}, 7, 137);
    fixture.engine.refuse<Metrics>("metrics", Kind::not_alive);
    fixture.engine.tell(Event::deleted);
    CHECK(fixture.story() == "exit init:137, exit it:137");
}

TEST_CASE("calls that the engine is lost under are answered, and what they left is undone when it is back") {
    Fixture fixture;
    const EngineError lost{Kind::unreachable, "gone"};
    SECTION("a creation") {
        fixture.desk->create("web", "{}", {}, fixture.reply("create"));
        fixture.engine.lose();
        fixture.desk->on_lost(lost);
        CHECK(fixture.story() == Fixture::refused("create", Kind::unreachable));
        fixture.desk->on_connected();
        SECTION("that was not done") {
            fixture.engine.refuse<ContainerRecord>("container", Kind::not_found);
        }
        SECTION("that was done") {
            fixture.engine.answer("container", ours());
            fixture.engine.done("delete_container");
        }
        SECTION("where there was one of somebody else, which stays") {
            fixture.engine.answer("container", ContainerRecord{});
            CHECK_FALSE(fixture.engine.is_asked("delete_container"));
        }
        CHECK(std::filesystem::is_empty(fixture.folder.path() / "state"));
        fixture.create();
        CHECK(fixture.story() == "create ok");
    }
    SECTION("a start") {
        fixture.create();
        fixture.desk->start("web", {}, fixture.reply("start"));
        fixture.engine.answer("create_task", std::uint32_t{7});
        fixture.engine.lose();
        fixture.desk->on_lost(lost);
        CHECK(fixture.story() == "create ok, create init, " + Fixture::refused("start", Kind::unreachable));
        fixture.desk->on_connected();
        fixture.engine.done("remove_task");
        CHECK(fixture.story() == "exit init");
        fixture.start();
        CHECK(fixture.story() == "create init, start init, start ok");
    }
    SECTION("a process") {
        fixture.create();
        fixture.start();
        fixture.desk->exec("web", "it", "{}", {}, fixture.reply("exec"));
        fixture.engine.done("exec it");
        fixture.engine.lose();
        static_cast<void>(fixture.story());
        fixture.desk->on_lost(lost);
        CHECK(fixture.story() == Fixture::refused("exec", Kind::unreachable));
        fixture.desk->on_connected();
        fixture.engine.answer("container", ours());
        fixture.engine.answer("task_state", ProcessState{.status = ProcessState::Status::running, .pid = 7});
        fixture.engine.answer("processes", std::vector<ListedProcess>{{7, {}}, {8, "it"}});
        fixture.engine.answer("process_state it",
                              ProcessState{.status = ProcessState::Status::running, .pid = 8});
        CHECK(fixture.engine.is_asked("signal it"));
        CHECK(fixture.story() == "exit it");
        CHECK(fixture.signals.back().error.find("lost") != std::string::npos);
    }
}

TEST_CASE("an end that was missed is told once, from the state that the engine still has") {
    Fixture fixture;
    fixture.create();
    fixture.start();
    static_cast<void>(fixture.story());
    fixture.engine.lose();
    fixture.desk->on_lost({Kind::unreachable, "gone"});
    fixture.desk->on_connected();
    fixture.engine.answer("container", ours());
    SECTION("it has ended") {
        fixture.engine.answer(
            "task_state", ProcessState{.status = ProcessState::Status::stopped, .pid = 7, .exit_code = 0});
        CHECK(fixture.story() == "exit init:0");
    }
    SECTION("its task is gone") {
        fixture.engine.refuse<ProcessState>("task_state", Kind::not_alive);
        CHECK(fixture.story() == "exit init:255");
    }
    SECTION("its task is gone, and the kernel has told how it ended") {
        fixture.desk->on_kernel_exit(8, {1, {}});
        fixture.desk->on_kernel_exit(7, {7, {}});
        CHECK(fixture.story().empty());
        fixture.engine.refuse<ProcessState>("task_state", Kind::not_alive);
        CHECK(fixture.story() == "exit init:7");
    }
    fixture.engine.tell(Event::exited, {}, 7, 0);
    CHECK(fixture.story().empty());
}

TEST_CASE("a new desk knows what was made by the one before") {
    Fixture fixture;
    fixture.create({.remove_on_exit = false});
    fixture.start();
    fixture.make_desk();
    static_cast<void>(fixture.story());
    fixture.engine.answer("container", ours());
    SECTION("it runs, and is attached to") {
        const ProcessState running{.status = ProcessState::Status::running, .pid = 7};
        fixture.engine.answer("task_state", running);
        fixture.engine.answer("processes", std::vector<ListedProcess>{{7, {}}, {8, "it"}});
        fixture.desk->restore("web", fixture.reply("restore"));
        fixture.engine.answer("task_state", running);
        CHECK(fixture.story() == "restore ok");
        const auto& process = std::get<RunningProcess>(fixture.last->value());
        CHECK(process.pid == 7);
        CHECK(process.ends->out);
        fixture.engine.tell(Event::exited, "it", 8, 2);
        fixture.engine.tell(Event::exited, {}, 7, 0);
        CHECK(fixture.story() == "exit it:2, exit init:0");
    }
    SECTION("it has ended meanwhile, which nobody was told") {
        fixture.engine.answer(
            "task_state", ProcessState{.status = ProcessState::Status::stopped, .pid = 7, .exit_code = 4});
        CHECK(fixture.story() == "exit init:4");
        fixture.make_desk();
        fixture.engine.answer("container", ours());
        fixture.engine.answer(
            "task_state", ProcessState{.status = ProcessState::Status::stopped, .pid = 7, .exit_code = 4});
        CHECK(fixture.story().empty());
    }
}

TEST_CASE("a container that removes itself goes when nobody writes its output any more") {
    Fixture fixture;
    fixture.create({.remove_on_exit = true});
    CHECK(fixture.engine.created.labels.size() == 2);
    fixture.desk->start("web", {.discard = true}, fixture.reply("start"));
    fixture.engine.answer("create_task", std::uint32_t{7});
    fixture.engine.answer("start ", std::uint32_t{7});
    fixture.engine.tell(Event::exited, {}, 7, 0);
    fixture.turn();
    fixture.engine.answer("delete_task", ProcessEnd{0, real_time_now()});
    fixture.engine.done("delete_container");
    CHECK(std::filesystem::is_empty(fixture.folder.path() / "state"));
    fixture.desk->status("web", fixture.reply("status"));
    CHECK(fixture.story().ends_with(Fixture::refused("status", Kind::not_found)));
}

TEST_CASE("who asks for the removal of a container that removes itself is answered when that is done") {
    Fixture fixture;
    fixture.create({.remove_on_exit = true});
    fixture.desk->start("web", {.discard = true}, fixture.reply("start"));
    fixture.engine.answer("create_task", std::uint32_t{7});
    fixture.engine.answer("start ", std::uint32_t{7});
    fixture.engine.tell(Event::exited, {}, 7, 0);
    fixture.turn();
    static_cast<void>(fixture.story());
    fixture.desk->remove("web", fixture.reply("remove"));
    CHECK(fixture.story().empty());
    fixture.engine.answer("delete_task", ProcessEnd{0, real_time_now()});
    SECTION("and it is gone") {
        fixture.engine.done("delete_container");
        CHECK(fixture.story() == "remove ok");
    }
    SECTION("or that it stays") {
        fixture.engine.done("delete_container", EngineError{Kind::engine, "no"});
        CHECK(fixture.story() == Fixture::refused("remove", Kind::engine));
        fixture.desk->remove("web", fixture.reply("again"));
        fixture.engine.answer("delete_task", ProcessEnd{0, real_time_now()});
        fixture.engine.done("delete_container");
        CHECK(fixture.story() == "again ok");
    }
}

TEST_CASE("events of others are not ours") {
    Fixture fixture;
    fixture.create();
    fixture.start();
    static_cast<void>(fixture.story());
    RuntimeEvent event;
    event.type = Event::exited;
    event.place = {"default", "web"};
    fixture.engine.observer->on_runtime_event(event);
    event.place = {"shorewatch", "other"};
    fixture.engine.observer->on_runtime_event(event);
    // A process that somebody else runs in the container, and an end from before it was started.
    fixture.engine.tell(Event::exited, "theirs", 9, 1);
    event.place = {"shorewatch", "web"};
    event.end.time = real_time_now() - std::chrono::hours(1);
    fixture.engine.observer->on_runtime_event(event);
    CHECK(fixture.story().empty());
}

TEST_CASE("who waits when the desk goes is told so") {
    Fixture fixture;
    fixture.create();
    fixture.desk->pause("web", fixture.reply("pause"));
    static_cast<void>(fixture.story());
    fixture.desk.reset();
    CHECK(fixture.story() == Fixture::refused("pause", Kind::unreachable));
    CHECK(fixture.engine.observer == nullptr);
}
