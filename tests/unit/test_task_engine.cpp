// The task engine, step by step: what it asks of its engine, when, and what it tells.
#include <algorithm>
#include <string>
#include <variant>
#include <vector>

#include "tests/unit/catch.h"
#include "tests/unit/task_steps.h"
#include "tests/unit/task_world.h"

using namespace shorewatch;
using namespace shorewatch::testing;
using Catch::Matchers::ContainsSubstring;

namespace {

using Told = TaskWorld::Told;

}  // namespace

TEST_CASE("a task's containers come up in their order, and each status is told once, the task's last") {
    TaskWorld world;
    world.bring_up();
    world.turn_all();
    world.add(task_of({web, db}));
    world.settle();
    const auto s = [](const std::string& name, TaskStatus status) { return Told{"t", name, status}; };
    CHECK(world.told == std::vector<Told>{s("db", TaskStatus::pulled), s("db", TaskStatus::created),
                                          s("db", TaskStatus::running), s("web", TaskStatus::pulled),
                                          s("", TaskStatus::pulled), s("web", TaskStatus::created),
                                          s("", TaskStatus::created), s("web", TaskStatus::running),
                                          s("", TaskStatus::running)});
    CHECK(world.broken() == "");
    const TaskView task = world.task("t");
    CHECK(task.known == TaskStatus::running);
    CHECK(container(world, "web").waits_for == "");
    CHECK(container(world, "web").engine_name.starts_with("shorewatch-shop-1-web-"));
    const ContainerPlan& plan = world.engine.made.at(1);
    CHECK(plan.links == std::vector<std::pair<std::string, std::string>>{{container(world, "db").id, "db"}});
    const StringPairs labels = {{"org.shorewatch.task-arn", "t"},
                                {"org.shorewatch.container-name", "web"},
                                {"org.shorewatch.task-family", "shop"},
                                {"org.shorewatch.task-version", "1"}};
    for (const auto& label : labels)
        CHECK(std::ranges::find(plan.labels, label) != plan.labels.end());
}

TEST_CASE("whoever links waits for the other to run before its image is pulled") {
    TaskWorld world;
    world.bring_up();
    world.turn_all();
    world.add(task_of({db, web}));
    world.turn_all();
    CHECK(only(world, CallKind::pull)->subject == "db");
    CHECK(container(world, "web").waits_for == "container db to be running");
    CHECK(container(world, "db").waits_for == "the engine to pull db");
}

TEST_CASE("no container is made before its name is on disk") {
    TaskWorld world;
    world.bring_up();
    world.turn_all();
    world.add(task_of({db}));
    world.turn_all();
    world.answer(only(world, CallKind::pull));
    world.turn_all();
    CHECK(world.asked(CallKind::create) == 0);
    CHECK(container(world, "db").waits_for == "its name to be on disk");
    write_down(world);
    CHECK(world.asked(CallKind::create) == 1);
    CHECK_THAT(world.disk.value(), ContainsSubstring(container(world, "db").engine_name));
}

TEST_CASE("the state is written at most once a second, and not at all when nothing changes") {
    TaskWorld world;
    world.bring_up();
    world.turn_all();
    world.add(task_of({db, web, job}));
    const Clock::time_point begin = world.now();
    world.settle();
    const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(world.now() - begin).count();
    CHECK(world.saves() <= static_cast<std::size_t>(seconds) + 1);
    const std::size_t before = world.saves();
    world.pass(std::chrono::hours(2));
    CHECK(world.saves() == before);
    TaskWorld idle;
    idle.bring_up();
    idle.settle();
    CHECK(idle.saves() == 0);
    CHECK(idle.calls().empty());
    CHECK_FALSE(idle.pass_time());
}

TEST_CASE("who waits for what was accepted to be kept waits for one write, and for no interval") {
    TaskWorld world;
    int kept = 0;
    const auto wait = [&] { world.tasks().when_kept([&] { ++kept; }); };
    wait();
    CHECK(kept == 1);  // nothing was changed
    world.add(task_of({db}));
    wait();
    world.turn_all();
    while (!world.is_saving())
        REQUIRE(world.pass_time());
    const Clock::time_point begin = world.now();
    // Of what is being written it is no part.
    CHECK(world.tasks().stop("t") == std::nullopt);
    wait();
    CHECK(kept == 1);
    world.finish_save(std::nullopt);
    CHECK(kept == 2);
    CHECK(world.pass_time());
    REQUIRE(world.is_saving());
    CHECK(world.now() == begin);
    // In vain: it is told, and the next who waits need not wait for the next attempt.
    world.finish_save("no space left on device");
    CHECK(kept == 3);
    CHECK_THAT(world.tasks().problem(), ContainsSubstring("no space left on device"));
    CHECK(world.tasks().remove("t") == std::nullopt);
    wait();
    CHECK(world.pass_time());
    REQUIRE(world.is_saving());
    CHECK(world.now() == begin);
    world.finish_save(std::nullopt);
    CHECK(kept == 4);
}

TEST_CASE("the end of an essential container stops the task, that of another one nobody") {
    TaskWorld world;
    world.bring_up();
    world.turn_all();
    world.add(task_of({db, job}));
    world.settle();
    world.engine.end(container(world, "job").id, 3);
    world.settle();
    CHECK(world.task("t").desired == TaskStatus::running);
    CHECK(container(world, "job").exit_code == 3);
    CHECK(container(world, "job").known == TaskStatus::stopped);
    CHECK(world.asked(CallKind::stop) == 0);
    world.engine.end(container(world, "db").id, 4);
    world.settle();
    CHECK(world.task("t").known == TaskStatus::stopped);
    CHECK(world.task("t").reason == "essential container db has stopped: exit code 4");
}

TEST_CASE("an image is pulled once for all who want it, and different ones side by side") {
    TaskWorld world;
    world.bring_up();
    world.turn_all();
    for (const std::string arn : {"a", "b", "c"}) {
        world.add(R"({"taskArn":")" + arn +
                  R"(","family":"f","containerDefinitions":[{"name":"x","image":"db"},
                  {"name":"y","image":"web"}]})");
    }
    world.turn_all();
    CHECK(world.calls(CallKind::pull).size() == 2);
    world.settle();
    CHECK(world.asked(CallKind::pull) == 2);
    CHECK(world.task("c").known == TaskStatus::running);
}

TEST_CASE("a registry gets the task's own credentials, or the daemon's, and nobody else does") {
    TaskWorld world;
    world.bring_up();
    world.turn_all();
    world.engine.pullable = {"r.example/a", "s.example/a"};
    world.tasks().use_credentials({{"r.example", {"daemon", "hidden"}}, {"s.example", {"daemon", "hidden"}}});
    world.add(R"({"taskArn":"t","family":"f","containerDefinitions":[{"name":"x","image":"r.example/a"},
              {"name":"y","image":"s.example/a"},{"name":"z","image":"db"}],
              "pullCredentials":{"r.example":{"username":"task","password":"secret"}}})");
    world.turn_all();
    const auto pulls = world.calls(CallKind::pull);
    REQUIRE(pulls.size() == 3);
    CHECK(pulls.at(0)->credentials == RegistryCredentials{"task", "secret"});
    CHECK(pulls.at(1)->credentials == RegistryCredentials{"daemon", "hidden"});
    CHECK_FALSE(pulls.at(2)->credentials);
    write_down(world);
    for (const std::string& text : {world.tasks().export_state(), world.disk.value()}) {
        CHECK(text.find("secret") == std::string::npos);
        CHECK(text.find("hidden") == std::string::npos);
    }
}

TEST_CASE("a task whose containers wait in vain stops, and says for what") {
    TaskWorld world;
    world.bring_up();
    world.turn_all();
    world.engine.pullable.erase("job");
    world.add(task_of(
        {job, R"("name":"late","image":"web","dependsOn":[{"containerName":"job","condition":"SUCCESS"}])"}));
    world.settle();
    CHECK(world.task("t").known == TaskStatus::stopped);
    CHECK(world.task("t").reason ==
          "container late can't go on: it waits for container job to have ended with exit code 0, which will "
          "not "
          "be");
}

TEST_CASE("who waits for another one's success goes on after it, and not after its failure") {
    for (const int code : {0, 1}) {
        TaskWorld world;
        world.bring_up();
        world.turn_all();
        world.add(task_of(
            {job, db,
             R"("name":"late","image":"web","dependsOn":[{"containerName":"job","condition":"SUCCESS"}])"}));
        world.settle();
        CHECK(container(world, "late").waits_for == "container job to have ended with exit code 0");
        world.engine.end(container(world, "job").id, code);
        world.settle();
        CHECK(world.task("t").desired == (code == 0 ? TaskStatus::running : TaskStatus::stopped));
        CHECK(container(world, "late").known == (code == 0 ? TaskStatus::running : TaskStatus::stopped));
    }
}

TEST_CASE(
    "what has stopped is removed after three hours, with its scratch volumes, or when that is asked for") {
    TaskWorld world;
    world.bring_up();
    world.turn_all();
    const std::string definition =
        task_of({db + R"(,"mountPoints":[{"sourceVolume":"v","containerPath":"/v"}])"},
                R"("volumes":[{"name":"v"}],)");
    world.add(definition);
    world.settle();
    CHECK(world.engine.volumes.size() == 1);
    CHECK_FALSE(world.tasks().stop("t"));
    world.settle();
    world.pass(std::chrono::minutes(179));
    CHECK(world.asked(CallKind::remove) == 0);
    world.pass(std::chrono::minutes(2));
    world.settle();
    CHECK(world.engine.containers.empty());
    CHECK(world.engine.volumes.empty());
    CHECK(world.removed == std::vector<std::string>{"t"});
    CHECK(world.tasks().list().empty());
    world.add(definition);
    world.settle();
    CHECK_FALSE(world.tasks().remove("t"));
    world.settle();
    CHECK(world.engine.containers.empty());
    CHECK(world.engine.volumes.empty());
    CHECK(world.removed == std::vector<std::string>{"t", "t"});
}

TEST_CASE("a known arn can only be stopped by adding it again, and not be another task") {
    TaskWorld world;
    world.bring_up();
    world.turn_all();
    world.add(task_of({db}));
    world.settle();
    CHECK(world.add(task_of({db})) == "t");
    CHECK(world.task("t").desired == TaskStatus::running);
    const TaskError conflict = error_of(world.tasks().add(task_of({db, web})));
    CHECK(conflict.kind == TaskError::Kind::conflict);
    CHECK(world.task("t").containers.size() == 1);
    world.add(task_of({db}, R"("desiredStatus":"STOPPED",)"));
    world.settle();
    CHECK(world.task("t").known == TaskStatus::stopped);
    world.add(task_of({db}));
    world.settle();
    CHECK(world.task("t").known == TaskStatus::stopped);
}

TEST_CASE("what can't be done is refused by its kind, and changes nothing") {
    TaskWorld world;
    const TaskError invalid = error_of(world.tasks().add(R"({"family":"f","containerDefinitions":[{}]})"));
    CHECK(invalid.kind == TaskError::Kind::invalid_spec);
    CHECK(invalid.path == "$.containerDefinitions[0].name");
    CHECK(invalid.message == "$.containerDefinitions[0].name is missing; a container has to have it");
    CHECK(world.tasks().stop("x").value().kind == TaskError::Kind::no_such_task);
    CHECK(world.tasks().remove("x").value().kind == TaskError::Kind::no_such_task);
    CHECK(world.tasks().list().empty());
    for (std::size_t index = 0; index < most_tasks; ++index)
        (void)world.add(R"({"family":"f","containerDefinitions":[{"name":"a","image":"db"}]})");
    const TaskError limit =
        error_of(world.tasks().add(R"({"family":"f","containerDefinitions":[{"name":"a","image":"db"}]})"));
    CHECK(limit.kind == TaskError::Kind::limits);
}

TEST_CASE("all tasks together have only so many containers, so that they can be listed") {
    TaskWorld world;
    std::vector<std::string> containers;
    for (std::size_t index = 0; index < most_task_containers; ++index)
        containers.push_back(R"("name":"c)" + std::to_string(index) + R"(","image":"db")");
    const auto definition = [&](std::size_t number) {
        std::string json = task_of(containers);
        return json.replace(json.find("\"t\""), 3, "\"t" + std::to_string(number) + "\"");
    };
    const std::size_t fit = most_containers_of_tasks / most_task_containers;
    for (std::size_t number = 0; number < fit; ++number)
        (void)world.add(definition(number));
    const TaskError limit = error_of(world.tasks().add(definition(fit)));
    CHECK(limit.kind == TaskError::Kind::limits);
    CHECK(limit.message == "all tasks would have more than 8000 containers; remove some first");
    CHECK(world.remove("t0").empty());
    world.settle();
    (void)world.add(definition(fit));
}

TEST_CASE("the engine is asked for few things at a time, and for each after another") {
    TaskWorld world;
    world.bring_up();
    world.turn_all();
    constexpr std::size_t tasks = 40;
    for (std::size_t index = 0; index < tasks; ++index)
        (void)world.add(R"({"family":"f","containerDefinitions":[{"name":"a","image":"db"}]})");
    write_down(world);
    world.answer(only(world, CallKind::pull));
    world.turn_all();
    CHECK(world.calls(CallKind::create).size() == EngineCalls::most_at_a_time);
    world.settle();
    CHECK(world.asked(CallKind::create) == tasks);
    CHECK(std::ranges::all_of(world.tasks().list(),
                              [](const TaskView& task) { return task.known == TaskStatus::running; }));
}

TEST_CASE("whoever asks for the engine's images is told them by the engine, later") {
    using Images = Result<std::vector<DeployedImage>>;
    std::vector<Images> answers;
    TaskWorld world;
    const auto ask = [&] {
        world.tasks().list_images([&](const Images& images) { answers.push_back(images); });
    };
    const auto kind_of_last = [&] { return answers.back().error().kind; };
    world.bring_up();
    world.turn_all();
    world.engine.images = {"web:1", "db:1"};
    ask();
    CHECK(answers.empty());
    world.answer(only(world, CallKind::list_images));
    REQUIRE(answers.size() == 1);
    REQUIRE(answers[0].value().size() == 2);
    CHECK(answers[0].value()[0].names == std::vector<std::string>{"db:1"});

    SECTION("or what the engine says instead") {
        ask();
        world.refuse(only(world, CallKind::list_images), EngineError::Kind::engine, "database is locked");
        REQUIRE(answers.size() == 2);
        CHECK(answers[1].error().message == "database is locked");
    }
    SECTION("or that it does not answer within 10 s") {
        ask();
        const EngineCallPtr late = only(world, CallKind::list_images);
        world.pass(std::chrono::seconds(11));
        REQUIRE(answers.size() == 2);
        CHECK(kind_of_last() == EngineError::Kind::timeout);
        world.answer(late);
        CHECK(answers.size() == 2);
    }
    SECTION("or that too many ask, and the next one after an answer is heard again") {
        for (std::size_t count = 0; count < ImageDesk::most_at_a_time; ++count)
            ask();
        ask();
        CHECK(answers.size() == 1);
        world.turn_all();
        REQUIRE(answers.size() == 2);
        CHECK(kind_of_last() == EngineError::Kind::busy);
        world.answer(world.calls(CallKind::list_images).front());
        ask();
        world.settle();
        CHECK(answers.size() == 3 + ImageDesk::most_at_a_time);
        CHECK(answers.back());
    }
    SECTION("or that the engine goes, or is gone") {
        ask();
        world.bring_down();
        world.turn_all();
        REQUIRE(answers.size() == 2);
        CHECK(kind_of_last() == EngineError::Kind::unreachable);
        ask();
        CHECK(answers.size() == 2);
        world.turn_all();
        REQUIRE(answers.size() == 3);
        CHECK(kind_of_last() == EngineError::Kind::unreachable);
        CHECK(world.asked(CallKind::list_images) == 2);
    }
    SECTION("or that the task engine goes") {
        ask();
        world.die(false);
        REQUIRE(answers.size() == 2);
        CHECK(kind_of_last() == EngineError::Kind::unreachable);
    }
    CHECK(world.broken() == "");
}
