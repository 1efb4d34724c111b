// The state file: what is kept is found again, and nothing that can stand in its place does any harm.
#include <filesystem>
#include <fstream>
#include <string>

#include <sys/stat.h>

#include "daemon/tasks/definition_fields.h"
#include "daemon/tasks/small_file.h"
#include "daemon/tasks/task_state.h"
#include "tests/fakes/temporary_folder.h"
#include "tests/unit/catch.h"
#include "tests/unit/task_daemon.h"
#include "tests/unit/task_world.h"

using namespace shorewatch;
using namespace shorewatch::testing;
using Catch::Matchers::ContainsSubstring;
using shorewatch::fakes::TemporaryFolder;

namespace {

namespace fs = std::filesystem;

// The state of a world with something in every field.
std::string some_state() {
    TaskWorld world;
    world.bring_up();
    world.add(definition);
    world.settle();
    world.engine.end(world.task("t").containers.at(1).id, 3);
    world.settle();
    return world.disk.value();
}

}  // namespace

TEST_CASE("what is kept of tasks is found again, whole") {
    const std::string text = some_state();
    const TaskState state = read_task_state(text);
    REQUIRE(state.tasks.size() == 1);
    CHECK(state.tasks.at(0).containers.at(1).exit_code == 3);
    TaskStateWriter writer(state.owner, state.files);
    for (const TaskRecord& task : state.tasks)
        writer.add(task);
    CHECK(writer.finish() == text);
}

TEST_CASE("a state that is cut at any byte is told to be damaged") {
    const std::string text = some_state();
    std::size_t damaged = 0;
    // The last byte is the line's end.
    for (std::size_t size = 0; size + 1 < text.size(); ++size) {
        try {
            (void)read_task_state(text.substr(0, size));
        } catch (const InvalidDefinition&) {
            ++damaged;
        }
    }
    CHECK(damaged == text.size() - 1);
}

TEST_CASE("a damaged state file is kept aside, and a new one begun") {
    const TemporaryFolder folder;
    const fs::path file = folder.path() / "tasks.json";
    const std::string text = some_state();
    for (const std::size_t size : {std::size_t{0}, std::size_t{1}, text.size() / 2, text.size() - 2}) {
        write(file, text.substr(0, size));
        {
            TaskDaemon daemon(file);
            CHECK_THAT(daemon.tasks().problem(), ContainsSubstring("is damaged: $ the JSON is malformed"));
            CHECK_THAT(daemon.tasks().problem(),
                       ContainsSubstring("it is kept as " + file.native() + ".damaged-"));
            CHECK(daemon.tasks().list().empty());
            CHECK_FALSE(fs::exists(file));
        }
        std::size_t found = 0;
        for (const auto& entry : fs::directory_iterator(folder.path())) {
            CHECK(text_in(entry.path()) == text.substr(0, size));
            fs::remove(entry.path());
            ++found;
        }
        CHECK(found == 1);
    }
}

TEST_CASE("a state that makes no sense is damaged, too") {
    const std::string text = some_state();
    const auto replaced = [&](const std::string& what, const std::string& by) {
        std::string other = text;
        other.replace(other.find(what), what.size(), by);
        return other;
    };
    CHECK_THROWS_AS(read_task_state(replaced("\"RUNNING\"", "\"WALKING\"")), InvalidDefinition);
    CHECK_THROWS_AS(read_task_state(replaced("\"name\":\"job\"", "\"name\":\"jobs\"")), InvalidDefinition);
    CHECK_THROWS_AS(read_task_state(replaced("\"family\":\"shop\"", "\"family\":\"\"")), InvalidDefinition);
    CHECK_THROWS_AS(read_task_state(replaced("\"version\":1", "\"version\":0")), InvalidDefinition);
    // What could not be written again as it is.
    CHECK_THROWS_AS(
        read_task_state(replaced("\"files\":{", R"("files":{"\u0000":{"digest":"d","boot":"b"})")),
        InvalidDefinition);
    CHECK_THROWS_AS(read_task_state(replaced("\"arn\":\"", R"("arn":"\n)")), InvalidDefinition);
    CHECK_THROWS_AS(read_task_state("{}"), InvalidDefinition);
}

TEST_CASE("fields that a later daemon has added are no damage") {
    std::string text = some_state();
    text.replace(text.find("\"arn\""), 5, "\"colour\":\"red\",\"arn\"");
    CHECK(read_task_state(text).tasks.size() == 1);
}

TEST_CASE("the state of a newer daemon is refused and left alone") {
    const TemporaryFolder folder;
    const fs::path file = folder.path() / "tasks.json";
    const std::string text = R"({"version":2,"colours":["red"]})";
    write(file, text);
    {
        TaskDaemon daemon(file);
        CHECK_THAT(daemon.tasks().problem(),
                   ContainsSubstring("is left alone: it is of version 2, of a later Shorewatch"));
        CHECK(std::holds_alternative<std::string>(daemon.tasks().add(definition)));
        CHECK(daemon.tasks().list().size() == 1);
    }
    CHECK(text_in(file) == text);
}

TEST_CASE("the state is written with its folder, for its owner alone, and read again") {
    const TemporaryFolder folder;
    const fs::path file = folder.path() / "a" / "b" / "tasks.json";
    {
        TaskDaemon daemon(file);
        CHECK_FALSE(fs::exists(file.parent_path()));
        (void)daemon.tasks().add(definition);
    }
    CHECK(fs::status(file).permissions() == (fs::perms::owner_read | fs::perms::owner_write));
    TaskDaemon daemon(file);
    REQUIRE(daemon.tasks().list().size() == 1);
    CHECK(daemon.tasks().list().at(0).arn == "t");
    CHECK(daemon.tasks().problem() == "");
}

TEST_CASE("where there is no folder to write to, tasks go on in memory, and are written when there is") {
    const TemporaryFolder folder;
    const fs::path in_the_way = folder.path() / "shorewatch";
    write(in_the_way, "a file");
    const fs::path file = in_the_way / "tasks.json";
    TaskDaemon daemon(file);
    (void)daemon.tasks().add(definition);
    CHECK_THAT(daemon.await_problem(true), ContainsSubstring(in_the_way.native()));
    CHECK(daemon.tasks().list().size() == 1);
    fs::remove(in_the_way);
    CHECK(daemon.await_problem(false) == "");
    CHECK(read_task_state(text_in(file)).tasks.size() == 1);
}

TEST_CASE("a state file that is a folder is told, and left alone") {
    const TemporaryFolder folder;
    const fs::path file = folder.path() / "tasks.json";
    fs::create_directory(file);
    TaskDaemon daemon(file);
    CHECK_THAT(daemon.tasks().problem(), ContainsSubstring("is no regular file"));
    (void)daemon.tasks().add(definition);
    daemon.end();
    CHECK(fs::is_directory(file));
}

TEST_CASE("files are read within bounds, whatever stands in their place") {
    const TemporaryFolder folder;
    const fs::path file = folder.path() / "x";
    CHECK_FALSE(read_small_file(file, 10));
    write(file, "0123456789");
    CHECK(read_small_file(file, 10) == "0123456789");
    CHECK_THROWS_WITH(read_small_file(file, 9), ContainsSubstring("is larger than 9 bytes"));
    CHECK_THROWS_WITH(read_small_file(folder.path(), 9), ContainsSubstring("is no regular file"));
    REQUIRE(::mkfifo((folder.path() / "fifo").c_str(), 0600) == 0);
    CHECK_THROWS_WITH(read_small_file(folder.path() / "fifo", 9), ContainsSubstring("is no regular file"));
}
