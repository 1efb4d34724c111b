// The state file on disks that are full or read-only: real ones, in a mount namespace of the test's own.
#include <filesystem>
#include <functional>
#include <stdexcept>
#include <string>

#include <sched.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

#include "engines/support/whole_file.h"
#include "tests/fakes/temporary_folder.h"
#include "tests/unit/catch.h"
#include "tests/unit/task_daemon.h"

using namespace shorewatch;
using namespace shorewatch::testing;
using shorewatch::fakes::TemporaryFolder;

namespace {

namespace fs = std::filesystem;

// Not to be had in a chroot, for one, where packages are built.
constexpr const char* no_namespace = "no mount namespace";

// In a child with a mount namespace of its own; the text of what went wrong.
std::string in_child(const std::function<std::string()>& what) {
    int ends[2];
    REQUIRE(::pipe(ends) == 0);
    const pid_t child = ::fork();
    if (child == 0) {
        std::string answer = no_namespace;
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
    if (wrong == no_namespace) {
        WARN("no mounts of its own can be had here");
        return;
    }
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
        TaskDaemon daemon(file);
        const std::string problem = daemon.tasks().problem();
        const bool told = problem.find("it is left as it is") != std::string::npos &&
                          problem.find("Read-only file system") != std::string::npos;
        if (!told) return problem;
        (void)daemon.tasks().add(definition);
        return daemon.tasks().list().size() == 1 ? "" : "the task is not there";
    });
    if (wrong == no_namespace) {
        WARN("no mounts of its own can be had here");
        return;
    }
    CHECK(wrong == "");
    CHECK(text_in(file) == "damaged");
}
