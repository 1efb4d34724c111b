// The task engine, step by step: what it asks of its engine, when, and what it tells.
#include <algorithm>
#include <string>
#include <variant>
#include <vector>

#include "tests/unit/catch.h"
#include "tests/unit/task_world.h"

using namespace shorewatch;
using namespace shorewatch::testing;
using Catch::Matchers::ContainsSubstring;

namespace {

using Kind = EngineError::Kind;
using Told = TaskWorld::Told;

// A task of these containers, as JSON objects' members.
std::string task_of(const std::vector<std::string>& containers, const std::string& more = "") {
    std::string all;
    for (const std::string& container : containers)
        all += (all.empty() ? "{" : ",{") + container + "}";
    return R"({"family":"shop","revision":1,"taskArn":"t",)" + more + R"("containerDefinitions":[)" + all +
           "]}";
}

const std::string db = R"("name":"db","image":"db")";
const std::string web = R"("name":"web","image":"web","links":["db"])";
const std::string job = R"("name":"job","image":"job","essential":false)";

TaskContainerView container(TaskWorld& world, const std::string& name) {
    const TaskView task = world.task("t");
    return *std::ranges::find(task.containers, name, &TaskContainerView::name);
}

TaskError error_of(const std::variant<std::string, TaskError>& answer) {
    return std::get<TaskError>(answer);
}

EngineCallPtr only(TaskWorld& world, CallKind kind) {
    const auto calls = world.calls(kind);
    REQUIRE(calls.size() == 1);
    return calls.front();
}

// Its first write is done, so that the engine may be asked.
void write_down(TaskWorld& world) {
    while (!world.is_saving()) {
        world.turn_all();
        REQUIRE(world.pass_time());
    }
    world.finish_save(std::nullopt);
    world.turn_all();
}

// All answers as they are true, but for calls of this kind.
void answer_until(TaskWorld& world, CallKind kind) {
    while (world.calls(kind).empty()) {
        world.turn_all();
        if (world.is_saving()) {
            world.finish_save(std::nullopt);
        } else if (!world.calls().empty()) {
            if (world.calls(kind).empty()) world.answer(EngineCallPtr(world.calls().front()));
        } else {
            REQUIRE(world.pass_time());
        }
    }
}

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
