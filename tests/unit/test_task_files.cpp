// The folder of tasks, and files of credentials.
#include <fstream>
#include <string>

#include "daemon/tasks/credentials_file.h"
#include "daemon/tasks/definition_fields.h"
#include "tests/fakes/temporary_folder.h"
#include "tests/unit/catch.h"
#include "tests/unit/task_world.h"

using namespace shorewatch;
using namespace shorewatch::testing;
using Catch::Matchers::ContainsSubstring;
using shorewatch::fakes::TemporaryFolder;

namespace {

const std::string db = R"({"family":"shop","containerDefinitions":[{"name":"a","image":"db"}]})";
const std::string web = R"({"family":"shop","containerDefinitions":[{"name":"a","image":"web"}]})";

TaskFiles folder_with(const std::string& name, const std::string& text) {
    TaskFiles files;
    files.files.push_back({name, text});
    return files;
}

}  // namespace

TEST_CASE("a file's task is wanted while the file is there") {
    TaskWorld world;
    world.bring_up();
    world.tasks().follow(folder_with("shop.json", db));
    world.settle();
    const TaskView task = world.task("tasks.d/shop.json");
    CHECK(task.known == TaskStatus::running);
    CHECK(task.file == "shop.json");
    world.tasks().follow(folder_with("shop.json", db));
    world.settle();
    CHECK(world.engine.made.size() == 1);
    world.tasks().follow({});
    world.settle();
    CHECK(world.task("tasks.d/shop.json").known == TaskStatus::stopped);
    CHECK(world.task("tasks.d/shop.json").reason == "its file shop.json is gone");
    world.pass(std::chrono::hours(4));
    world.settle();
    CHECK(world.tasks().list().empty());
    CHECK(world.engine.containers.empty());
}

TEST_CASE("a file that says something else is another task, after the one before is gone") {
    TaskWorld world;
    world.bring_up();
    world.tasks().follow(folder_with("shop.json", db));
    world.settle();
    world.tasks().follow(folder_with("shop.json", web));
    world.settle();
    CHECK(world.removed == std::vector<std::string>{"tasks.d/shop.json"});
    CHECK(world.task("tasks.d/shop.json").known == TaskStatus::running);
    CHECK(world.task("tasks.d/shop.json").containers.at(0).image == "web");
    CHECK(world.engine.containers.size() == 1);
}

TEST_CASE("a file that is wrong, or can't be read, changes nothing and is told") {
    TaskWorld world;
    world.bring_up();
    world.tasks().follow(folder_with("shop.json", db));
    world.settle();
    world.tasks().follow(folder_with("shop.json", R"({"family":"shop"})"));
    world.settle();
    CHECK(world.problem == "shop.json: $.containerDefinitions is missing; a task definition has to have it");
    CHECK(world.task("tasks.d/shop.json").known == TaskStatus::running);
    TaskFiles unreadable;
    unreadable.unreadable = {"shop.json"};
    unreadable.problems = {"shop.json: can't be read: Permission denied"};
    world.tasks().follow(unreadable);
    world.settle();
    CHECK(world.problem == "shop.json: can't be read: Permission denied");
    TaskFiles no_folder;
    no_folder.is_complete = false;
    world.tasks().follow(no_folder);
    world.settle();
    CHECK(world.task("tasks.d/shop.json").desired == TaskStatus::running);
    world.tasks().follow(folder_with("shop.json", db));
    CHECK(world.problem == "");
}

TEST_CASE(
    "a file's task that has ended is not run again by a restart of the daemon, but by one of the machine") {
    TaskWorld world;
    world.bring_up();
    world.tasks().follow(folder_with("job.json", db));
    world.settle();
    world.engine.end(world.task("tasks.d/job.json").containers.at(0).id, 0);
    world.settle();
    world.die(true);
    world.live();
    world.tasks().follow(folder_with("job.json", db));
    world.settle();
    CHECK(world.task("tasks.d/job.json").known == TaskStatus::stopped);
    world.pass(std::chrono::hours(4));
    world.settle();
    world.tasks().follow(folder_with("job.json", db));
    world.settle();
    CHECK(world.tasks().list().empty());
    world.die(true);
    world.start_machine_anew();
    world.live();
    world.tasks().follow(folder_with("job.json", db));
    world.settle();
    CHECK(world.task("tasks.d/job.json").known == TaskStatus::running);
}

TEST_CASE(
    "a file's task that ran when the machine died runs again, whether its containers are there or not") {
    for (const bool engine_is_empty : {true, false}) {
        TaskWorld world;
        world.bring_up();
        world.tasks().follow(folder_with("shop.json", db));
        world.settle();
        const std::string before = world.task("tasks.d/shop.json").containers.at(0).id;
        world.bring_down();
        world.die(true);
        world.engine.end(before, 255);
        world.engine.news.clear();
        if (engine_is_empty) world.engine.containers.clear();
        world.start_machine_anew();
        world.live();
        world.tasks().follow(folder_with("shop.json", db));
        world.bring_up();
        world.settle();
        CHECK(world.task("tasks.d/shop.json").known == TaskStatus::running);
        CHECK(world.task("tasks.d/shop.json").containers.at(0).id != before);
        CHECK(world.engine.containers.size() == 1);
    }
}

TEST_CASE("a file's task that was removed stays away until its file changes") {
    TaskWorld world;
    world.bring_up();
    world.tasks().follow(folder_with("shop.json", db));
    world.settle();
    CHECK_FALSE(world.tasks().remove("tasks.d/shop.json"));
    world.settle();
    world.tasks().follow(folder_with("shop.json", db));
    world.settle();
    CHECK(world.tasks().list().empty());
    world.tasks().follow(folder_with("shop.json", web));
    world.settle();
    CHECK(world.task("tasks.d/shop.json").known == TaskStatus::running);
}

TEST_CASE("a file does not take another task's name") {
    TaskWorld world;
    world.add(R"({"taskArn":"mine","family":"f","containerDefinitions":[{"name":"a","image":"db"}]})");
    world.tasks().follow(folder_with(
        "x.json", R"({"taskArn":"mine","family":"f","containerDefinitions":[{"name":"a","image":"db"}]})"));
    CHECK_THAT(world.problem, ContainsSubstring("x.json: there is a task mine already"));
    CHECK(world.task("mine").file == "");
}

TEST_CASE("of a folder, files are read whose names end in .json and that are not hidden") {
    const TemporaryFolder folder;
    std::ofstream(folder.path() / "b.json") << db;
    std::ofstream(folder.path() / "a.json") << web;
    std::ofstream(folder.path() / ".c.json") << web;
    std::ofstream(folder.path() / "d.json~") << web;
    std::filesystem::create_directory(folder.path() / "e.json");
    const TaskFiles files = read_tasks_folder(folder.path());
    REQUIRE(files.files.size() == 2);
    CHECK(files.files.at(0).name == "a.json");
    CHECK(files.files.at(1).text == db);
    CHECK(files.unreadable == std::vector<std::string>{"e.json"});
    CHECK(files.problems ==
          std::vector<std::string>{(folder.path() / "e.json").native() + ": is no regular file"});
    CHECK(read_tasks_folder(folder.path() / "none").files.empty());
    CHECK(read_tasks_folder(folder.path() / "none").is_complete);
    CHECK_FALSE(read_tasks_folder(folder.path() / "a.json").is_complete);
}

TEST_CASE("a file whose name would not be kept as it is, is told and left alone") {
    const TemporaryFolder folder;
    for (const char* name : {"\xFF.json", "a\nb.json", "\u202Etxt.json"}) {
        std::ofstream(folder.path() / name) << db;
        const TaskFiles files = read_tasks_folder(folder.path());
        CHECK(files.files.empty());
        CHECK(files.is_complete);
        CHECK(files.unreadable == std::vector<std::string>{name});
        REQUIRE(files.problems.size() == 1);
        CHECK_THAT(files.problems.at(0), ContainsSubstring("its name is no plain text; give it another"));
        std::filesystem::remove(folder.path() / name);
    }
}

TEST_CASE("credentials of what is no registry are left out, and those that could not be sent are refused") {
    CHECK(parse_credentials(R"({"auths":{"https:///v2":{"username":"u","password":"p"},
                                         "a\nb":{"username":"u","password":"p"}}})")
              .empty());
    // "u:p" and a byte that is no UTF-8; "u:p" and a NUL.
    for (const char* auth : {"dTpw/w==", "dTpwAA=="}) {
        CHECK_THROWS_WITH(
            parse_credentials(R"({"auths":{"r.example":{"auth":")" + std::string(auth) + R"("}}})"),
            "is the base64 of what is no UTF-8 without NUL");
    }
}

TEST_CASE("credentials are read as Docker keeps them") {
    const CredentialsByRegistry credentials = parse_credentials(R"({"auths":{
        "https://index.docker.io/v1/":{"auth":"dXNlcjpwYXNzOndvcmQ="},
        "registry.example:5000":{"username":"u","password":"p"},
        "helped.example":{}},"credsStore":"secretservice"})");
    CHECK(credentials ==
          CredentialsByRegistry{{"docker.io", {"user", "pass:word"}}, {"registry.example:5000", {"u", "p"}}});
}

TEST_CASE("a file of credentials that is wrong says so, and nothing of what is in it") {
    const TemporaryFolder folder;
    const std::filesystem::path file = folder.path() / "registries.json";
    CHECK(read_credentials_file({}).empty());
    CHECK_THROWS_WITH(read_credentials_file(file), ContainsSubstring("there is no such file"));
    for (const std::string text :
         {R"({"auths":{"r.example":{"auth":"c2VjcmV0"}}})", R"({"auths":{"r.example":{"auth":"secret!"}}})",
          R"({"auths":"secret"})", R"("secret")", R"({"secret")"}) {
        std::ofstream(file) << text;
        try {
            (void)read_credentials_file(file);
            FAIL("nothing was wrong with " << text);
        } catch (const std::runtime_error& error) {
            CHECK_THAT(error.what(), ContainsSubstring("expected a file as Docker's config.json"));
            CHECK(std::string(error.what()).find("ecret") == std::string::npos);
        }
    }
}
