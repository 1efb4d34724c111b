// The state file: what is kept is found again, and nothing that can stand in its place does any harm.
#include <chrono>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <memory>
#include <stdexcept>
#include <string>

#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "daemon/tasks/definition_fields.h"
#include "daemon/tasks/small_file.h"
#include "daemon/tasks/state_file.h"
#include "daemon/tasks/task_state.h"
#include "tests/fakes/temporary_folder.h"
#include "tests/unit/catch.h"
#include "tests/unit/task_world.h"

using namespace shorewatch;
using namespace shorewatch::testing;
using Catch::Matchers::ContainsSubstring;
using shorewatch::fakes::TemporaryFolder;

namespace {

namespace fs = std::filesystem;

const std::string definition =
    R"({"family":"shop","containerDefinitions":[{"name":"db","image":"db"},{"name":"job","image":"job",)"
    R"("essential":false,"mountPoints":[{"sourceVolume":"v","containerPath":"/v"}]}],"volumes":[{"name":"v"}],)"
    R"("taskArn":"t"})";

std::string text_in(const fs::path& file) {
    std::ifstream stream(file);
    return {std::istreambuf_iterator<char>(stream), {}};
}

void write(const fs::path& file, const std::string& text) {
    std::ofstream(file) << text;
}

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

// A daemon's task engine on a file, without an engine below it.
class Daemon {
  public:
    explicit Daemon(const fs::path& file) {
        settings_.state_file = file;
        model_.on_call = [](const EngineCallPtr&) {};
        engine_ = make_task_engine(loop_, model_, settings_);
    }
    TaskEngine& tasks() { return *engine_; }
    // Runs the loop until problem() is, or no longer is, empty.
    std::string await_problem(bool some) {
        Timer deadline(loop_, [this] { loop_.stop(); });
        deadline.arm_after(std::chrono::seconds(20));
        const EventSource check = loop_.before_wait([this, some] {
            if (engine_->problem().empty() != some) loop_.stop();
        });
        loop_.run();
        return engine_->problem();
    }
    void end() { engine_.reset(); }

  private:
    EventLoop loop_;
    TaskEngineModel model_;
    TaskSettings settings_;
    std::unique_ptr<TaskEngine> engine_;
};

// In a child with a mount namespace of its own, after prepare; the text of what went wrong.
std::string in_child(const std::function<std::string()>& what) {
    int ends[2];
    REQUIRE(::pipe(ends) == 0);
    const pid_t child = ::fork();
    if (child == 0) {
        std::string answer = "no mount namespace";
        if (::unshare(CLONE_NEWNS) == 0 && ::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0) {
            try {
                answer = what();
            } catch (const std::exception& error) {
                answer = std::string("threw ") + error.what();
            }
        }
        const ssize_t ignored = ::write(ends[1], answer.data(), answer.size());
        ::_exit(ignored < 0 ? 1 : 0);
    }
    ::close(ends[1]);
    std::string answer;
    char buffer[512];
    for (ssize_t got = 0; (got = ::read(ends[0], buffer, sizeof buffer)) > 0;)
        answer.append(buffer, static_cast<std::size_t>(got));
    ::close(ends[0]);
    int status = 0;
    ::waitpid(child, &status, 0);
    return answer;
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
            Daemon daemon(file);
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
        Daemon daemon(file);
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
        Daemon daemon(file);
        CHECK_FALSE(fs::exists(file.parent_path()));
        (void)daemon.tasks().add(definition);
    }
    CHECK(fs::status(file).permissions() == (fs::perms::owner_read | fs::perms::owner_write));
    Daemon daemon(file);
    REQUIRE(daemon.tasks().list().size() == 1);
    CHECK(daemon.tasks().list().at(0).arn == "t");
    CHECK(daemon.tasks().problem() == "");
}

TEST_CASE("where there is no folder to write to, tasks go on in memory, and are written when there is") {
    const TemporaryFolder folder;
    const fs::path in_the_way = folder.path() / "shorewatch";
    write(in_the_way, "a file");
    const fs::path file = in_the_way / "tasks.json";
    Daemon daemon(file);
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
    Daemon daemon(file);
    CHECK_THAT(daemon.tasks().problem(), ContainsSubstring("is no regular file"));
    (void)daemon.tasks().add(definition);
    daemon.end();
    CHECK(fs::is_directory(file));
}

TEST_CASE("a full disk loses nothing of what is written already", "[root]") {
    if (::geteuid() != 0) {
        WARN("needs to be root, to mount a small file system");
        return;
    }
    const TemporaryFolder folder;
    const fs::path file = folder.path() / "tasks.json";
    const std::string wrong = in_child([&]() -> std::string {
        if (::mount("tmpfs", folder.path().c_str(), "tmpfs", 0, "size=64k") != 0) return "no tmpfs";
        write_whole_file(file, "before");
        try {
            write_whole_file(file, std::string(200'000, 'x'));
            return "nothing was wrong";
        } catch (const std::runtime_error& error) {
            if (std::string(error.what()).find("No space left on device") == std::string::npos)
                return error.what();
        }
        if (text_in(file) != "before") return "it is " + text_in(file);
        if (fs::exists(file.native() + ".new")) return "what is half written takes up room";
        write_whole_file(file, "after");
        return text_in(file) == "after" ? "" : "it can't be written any more";
    });
    CHECK(wrong == "");
}

TEST_CASE("a read-only folder is told, and what is in it stays", "[root]") {
    if (::geteuid() != 0) {
        WARN("needs to be root, to mount a read-only file system");
        return;
    }
    const TemporaryFolder folder;
    const fs::path file = folder.path() / "tasks.json";
    write(file, "damaged");
    const std::string wrong = in_child([&]() -> std::string {
        const char* path = folder.path().c_str();
        if (::mount(path, path, nullptr, MS_BIND, nullptr) != 0 ||
            ::mount(nullptr, path, nullptr, MS_BIND | MS_REMOUNT | MS_RDONLY, nullptr) != 0)
            return "no bind mount";
        Daemon daemon(file);
        const std::string problem = daemon.tasks().problem();
        const bool told = problem.find("it is left as it is") != std::string::npos &&
                          problem.find("Read-only file system") != std::string::npos;
        if (!told) return problem;
        (void)daemon.tasks().add(definition);
        return daemon.tasks().list().size() == 1 ? "" : "the task is not there";
    });
    CHECK(wrong == "");
    CHECK(text_in(file) == "damaged");
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
