// The task engine when something goes wrong: what becomes of tasks, and what is said of it.
#include <string>
#include <vector>

#include "tests/unit/catch.h"
#include "tests/unit/task_steps.h"
#include "tests/unit/task_world.h"

using namespace shorewatch;
using namespace shorewatch::testing;
using Catch::Matchers::ContainsSubstring;

namespace {

using Kind = EngineError::Kind;
using Told = TaskWorld::Told;

}  // namespace

TEST_CASE("a full disk does not keep tasks from running, and is told and tried again") {
    TaskWorld world;
    world.bring_up();
    world.turn_all();
    world.disk_trouble = "tasks.json can't be written: No space left on device";
    world.add(task_of({db}));
    world.settle();
    CHECK(world.task("t").known == TaskStatus::running);
    CHECK(world.problem == *world.disk_trouble);
    CHECK_FALSE(world.disk);
    world.disk_trouble.reset();
    world.pass(std::chrono::minutes(10));
    world.settle();
    CHECK(world.problem == "");
    CHECK_THAT(world.disk.value(), ContainsSubstring("\"RUNNING\""));
}

TEST_CASE("a stop during a pull takes effect at once, and the pull's end changes nothing") {
    TaskWorld world;
    world.bring_up();
    world.turn_all();
    world.add(task_of({db}));
    world.turn_all();
    const EngineCallPtr pull = only(world, CallKind::pull);
    CHECK_FALSE(world.tasks().stop("t"));
    world.turn_all();
    CHECK(world.task("t").known == TaskStatus::stopped);
    world.answer(pull);
    world.settle();
    CHECK(world.task("t").known == TaskStatus::stopped);
    CHECK(world.asked(CallKind::create) == 0);
}

TEST_CASE("what can't be pulled is used if it is there, and stops with the engine's words if it is not") {
    TaskWorld world;
    world.bring_up();
    world.turn_all();
    world.engine.images.insert("db");
    world.add(task_of({db}));
    world.turn_all();
    world.refuse(only(world, CallKind::pull), Kind::engine, "pull db: no route to host");
    world.settle();
    CHECK(world.task("t").known == TaskStatus::running);
    world.add(R"({"taskArn":"u","family":"f","containerDefinitions":[{"name":"x","image":"nowhere"}]})");
    world.settle();
    CHECK(world.task("u").known == TaskStatus::stopped);
    CHECK(world.task("u").containers.at(0).reason == "pull access denied for nowhere");
    CHECK(world.task("u").reason == "essential container x has stopped: pull access denied for nowhere");
}

TEST_CASE("a pull has two hours") {
    TaskWorld world;
    world.bring_up();
    world.turn_all();
    world.add(task_of({db}));
    world.turn_all();
    world.pass(std::chrono::minutes(119));
    CHECK(container(world, "db").waits_for == "the engine to pull db");
    world.pass(std::chrono::minutes(2));
    world.answer(only(world, CallKind::find_image));
    world.turn_all();
    CHECK(container(world, "db").known == TaskStatus::stopped);
    CHECK(container(world, "db").reason == "pull db: no answer from the engine within 7200 s");
}

TEST_CASE("credentials that a restart has lost are told where they are missed") {
    TaskWorld world;
    world.bring_up();
    world.turn_all();
    world.add(R"({"taskArn":"t","family":"f","containerDefinitions":[{"name":"x","image":"r.example/a"}],
              "pullCredentials":{"r.example":{"username":"task","password":"secret"}}})");
    write_down(world);
    world.die(true);
    world.live();
    world.settle();
    CHECK_THAT(world.task("t").containers.at(0).reason, ContainsSubstring("not kept over a restart"));
}

TEST_CASE("a start that times out stops the container, once, also when it runs after all") {
    TaskWorld world;
    world.bring_up();
    world.turn_all();
    world.add(task_of({db}));
    answer_until(world, CallKind::start);
    const EngineCallPtr start = only(world, CallKind::start);
    world.pass(std::chrono::seconds(61));
    TaskEngineModel::perform(*start);
    world.answer(only(world, CallKind::inspect));
    world.turn_all();
    CHECK(only(world, CallKind::stop)->subject == container(world, "db").id);
    world.settle();
    CHECK(world.asked(CallKind::stop) == 1);
    CHECK(world.task("t").known == TaskStatus::stopped);
    CHECK_THAT(container(world, "db").reason, ContainsSubstring("no answer from the engine within 60 s"));
}

TEST_CASE("what has stopped and is started by somebody is stopped again, exactly once") {
    TaskWorld world;
    world.bring_up();
    world.turn_all();
    world.add(task_of({db}));
    world.settle();
    const std::string id = container(world, "db").id;
    world.engine.end(id, 0);
    world.settle();
    world.engine.run(id);
    world.settle();
    CHECK(world.asked(CallKind::stop) == 1);
    CHECK(world.engine.containers.at(id).state == DeployedContainer::State::stopped);
    world.engine.run(id);
    world.settle();
    world.die(true);
    world.live();
    world.settle();
    CHECK(world.asked(CallKind::stop) == 1);
    CHECK(world.task("t").known == TaskStatus::stopped);
}

TEST_CASE("a container is given its grace, and a stop that fails is tried again") {
    TaskWorld world;
    world.bring_up();
    world.turn_all();
    world.add(task_of({db + R"(,"stopTimeout":7)"}));
    world.settle();
    CHECK_FALSE(world.tasks().stop("t"));
    world.turn_all();
    const EngineCallPtr stop = only(world, CallKind::stop);
    CHECK(stop->timeout == std::chrono::seconds(7));
    world.refuse(stop, Kind::engine, "stop db: it is stuck");
    world.turn_all();
    CHECK(container(world, "db").waits_for == "the next attempt, after: stop db: it is stuck");
    world.settle();
    CHECK(world.task("t").known == TaskStatus::stopped);
    CHECK(world.asked(CallKind::stop) == 2);
}

TEST_CASE("a container that is gone when the engine is back is told to have vanished") {
    TaskWorld world;
    world.bring_up();
    world.turn_all();
    world.add(task_of({db}));
    world.settle();
    world.bring_down();
    world.turn_all();
    CHECK(world.task("t").known == TaskStatus::running);
    world.engine.containers.clear();
    world.bring_up();
    world.turn_all();
    world.settle();
    CHECK(world.task("t").known == TaskStatus::stopped);
    CHECK(container(world, "db").reason == "container vanished");
}

TEST_CASE("a task waits for the engine, and says so") {
    TaskWorld world;
    world.add(task_of({db}));
    world.settle();
    CHECK(container(world, "db").waits_for == "the engine to be there");
    world.bring_up();
    world.turn_all();
    world.settle();
    world.bring_down();
    world.turn_all();
    CHECK_FALSE(world.tasks().stop("t"));
    world.settle();
    CHECK(container(world, "db").waits_for == "the engine to be there: the engine is gone");
    world.bring_up();
    world.turn_all();
    world.settle();
    CHECK(world.task("t").known == TaskStatus::stopped);
}

TEST_CASE("a container that was made when the daemon died is found by its labels and kept") {
    TaskWorld world;
    world.bring_up();
    world.turn_all();
    world.add(task_of({db}));
    answer_until(world, CallKind::create);
    TaskEngineModel::perform(*only(world, CallKind::create));
    world.die(false);
    world.live();
    world.settle();
    CHECK(world.task("t").known == TaskStatus::running);
    CHECK(world.engine.made.size() == 1);
}

TEST_CASE("a name that is taken by the container itself, which was made after all, is no failure") {
    TaskWorld world;
    world.bring_up();
    world.turn_all();
    world.add(task_of({db}));
    answer_until(world, CallKind::create);
    const EngineCallPtr first = only(world, CallKind::create);
    world.refuse(first, Kind::unreachable, "the connection broke off");
    answer_until(world, CallKind::create);
    TaskEngineModel::perform(*first);
    world.settle();
    CHECK(world.task("t").known == TaskStatus::running);
    CHECK(world.engine.made.size() == 1);
}

TEST_CASE("a name that a stranger has stops the container with the engine's words, and the stranger stays") {
    TaskWorld world;
    world.bring_up();
    world.turn_all();
    world.add(task_of({db}));
    answer_until(world, CallKind::create);
    DeployedContainer stranger;
    stranger.id = "stranger";
    stranger.name = container(world, "db").engine_name;
    world.engine.containers.emplace(stranger.id, stranger);
    world.settle();
    CHECK(world.task("t").known == TaskStatus::stopped);
    CHECK_THAT(container(world, "db").reason, ContainsSubstring("is in use"));
    CHECK_FALSE(world.tasks().remove("t"));
    world.settle();
    CHECK(world.tasks().list().empty());
    CHECK(world.engine.containers.contains("stranger"));
}

TEST_CASE("what nobody was told is told to whoever comes, also by the next daemon") {
    TaskWorld world;
    world.with_observer(false);
    world.bring_up();
    world.turn_all();
    world.add(task_of({db}));
    world.settle();
    CHECK(world.told.empty());
    world.die(true);
    world.live();
    world.settle();
    CHECK(world.told == std::vector<Told>{{"t", "db", TaskStatus::running}, {"t", "", TaskStatus::running}});
    world.die(true);
    world.live();
    world.settle();
    CHECK(world.told.size() == 2);
}
