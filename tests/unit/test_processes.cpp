// Processes, their root folders, and their numbers in other pid namespaces.
#include <array>
#include <cerrno>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <sstream>
#include <string>
#include <vector>

#include <fcntl.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "engines/support/pid_namespace.h"
#include "engines/support/process.h"
#include "tests/fakes/temporary_folder.h"
#include "tests/unit/catch.h"
#include "tests/unit/child_process.h"

using namespace shorewatch;
namespace fs = std::filesystem;

namespace {

constexpr std::uint32_t nobody = 0x7FFFFFFF;

ino_t inode_of(const UniqueFd& fd) {
    struct stat status{};
    REQUIRE(fstat(fd.get(), &status) == 0);
    return status.st_ino;
}

ino_t inode_of(const fs::path& path) {
    struct stat status{};
    REQUIRE(stat(path.c_str(), &status) == 0);
    return status.st_ino;
}

// A pid namespace with an initial process and a child of that, and so on: levels of it, one in the other.
void make_namespaces(int levels) {
    for (int level = 0; level < levels; ++level) {
        if (::unshare(CLONE_NEWPID) != 0) ::_exit(1);
        if (const pid_t child = ::fork(); child != 0) {
            ::waitpid(child, nullptr, 0);
            ::_exit(0);
        }
        // Whoever is first in a namespace is not reached by what ends its parent.
        ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    }
}

std::uint32_t only_child_of(std::uint32_t pid) {
    const std::string number = std::to_string(pid);
    std::ifstream file("/proc/" + number + "/task/" + number + "/children");
    std::uint32_t child = 0;
    file >> child;
    REQUIRE(child != 0);
    return child;
}

// The pids of a process, here and in each namespace inwards.
std::vector<std::uint32_t> numbers_of(std::uint32_t pid) {
    std::ifstream file("/proc/" + std::to_string(pid) + "/status");
    std::string line;
    while (std::getline(file, line) && !line.starts_with("NSpid:")) {
    }
    std::istringstream text(line.substr(line.find(':') + 1));
    return {std::istream_iterator<std::uint32_t>(text), {}};
}

}  // namespace

TEST_CASE("a process is known by its number and when it began, while it lives") {
    ChildProcess child;
    const auto process = process_with(child.pid());
    REQUIRE(process);
    CHECK(process->pid == child.pid());
    CHECK(process->began > process_with(1)->began);
    CHECK(process_with(child.pid()) == process);
    SECTION("dead, and not waited for") {
        child.kill();
        CHECK_FALSE(process_with(child.pid()));
    }
    SECTION("gone") {
        const std::uint32_t pid = child.pid();
        child.end();
        CHECK_FALSE(process_with(pid));
    }
    CHECK_FALSE(process_with(nobody));
    CHECK_FALSE(process_with(0));
}

TEST_CASE("links in a process's root folder lead nowhere else") {
    const fakes::TemporaryFolder folder;
    fs::create_directories(folder.path() / "run" / "inner");
    std::ofstream(folder.path() / "run" / "file") << "its own";
    fs::create_symlink("/run/file", folder.path() / "absolute");
    fs::create_symlink("../../../../../run/file", folder.path() / "run" / "inner" / "upwards");
    fs::create_symlink("/proc/self/root/run/file", folder.path() / "magic");
    const ChildProcess child([&] {
        if (::chroot(folder.path().c_str()) != 0 || ::chdir("/") != 0) ::_exit(1);
    });
    const Process process = process_with(child.pid()).value();
    for (const char* path : {"/run/file", "run/file", "/absolute", "/run/inner/upwards", "/../run/file"}) {
        INFO(path);
        const UniqueFd file = open_in_root(process, path, 0);
        REQUIRE(file);
        CHECK(inode_of(file) == inode_of(folder.path() / "run" / "file"));
        CHECK(inode_of(name_of(file)) == inode_of(file));
    }
    CHECK_FALSE(open_in_root(process, "/magic", 0));
    CHECK(errno == ENOENT);  // it has no /proc
    CHECK_FALSE(open_in_root(process, "/run/file", O_DIRECTORY));
    CHECK(errno == ENOTDIR);
    CHECK_FALSE(open_in_root(process, "/run/file/../file", 0));
    CHECK(errno == ENOTDIR);
    const UniqueFd link = open_in_root(process, "/absolute", O_NOFOLLOW);
    REQUIRE(link);
    struct stat status{};
    REQUIRE(::fstat(link.get(), &status) == 0);
    CHECK(S_ISLNK(status.st_mode));
}

TEST_CASE("a way through a process's root folder that has no end is given up") {
    const fakes::TemporaryFolder folder;
    fs::create_symlink("/round", folder.path() / "round");
    std::string deep;
    for (int i = 0; i < 200; ++i)
        deep.append("/x");
    fs::create_directories(folder.path().string() + deep);
    const ChildProcess child([&] {
        if (::chroot(folder.path().c_str()) != 0 || ::chdir("/") != 0) ::_exit(1);
    });
    const Process process = process_with(child.pid()).value();
    CHECK_FALSE(open_in_root(process, "/round", 0));
    CHECK(errno == ELOOP);
    CHECK_FALSE(open_in_root(process, deep, 0));
    CHECK(errno == ENAMETOOLONG);
}

TEST_CASE("the root folder of a process that is gone is nobody's, whoever has its number") {
    ChildProcess child;
    Process process = process_with(child.pid()).value();
    REQUIRE(open_in_root(process, "/", O_DIRECTORY));
    --process.began;
    CHECK_FALSE(open_in_root(process, "/", O_DIRECTORY));
    CHECK(errno == ESRCH);
}

TEST_CASE("our own pid namespace changes no pid") {
    CHECK(PidNamespace().is_ours());
    CHECK(PidNamespace().to_ours(4711) == 4711);
    const ChildProcess child;
    CHECK(PidNamespace::of(child.pid()).is_ours());
    CHECK(PidNamespace::of(nobody).is_ours());
}

TEST_CASE("a pid of another namespace is found here") {
    const int levels = GENERATE(1, 3);
    const ChildProcess outer([&] { make_namespaces(levels); });
    std::uint32_t inner = outer.pid();
    for (int level = 0; level < levels; ++level)
        inner = only_child_of(inner);
    const PidNamespace innermost = PidNamespace::of(inner);
    REQUIRE_FALSE(innermost.is_ours());
    CHECK(innermost.to_ours(1) == inner);
    CHECK(found_in_proc(innermost, 1) == inner);
    CHECK(innermost.to_ours(nobody) == 0);
    CHECK(found_in_proc(innermost, nobody) == 0);
    CHECK(innermost.to_ours(0) == 0);
    if (levels == 1) return;
    // Of a namespace in between, in which the innermost process is not the first.
    const PidNamespace outermost = PidNamespace::of(only_child_of(outer.pid()));
    const std::uint32_t number = numbers_of(inner).at(1);
    CHECK(number > 1);
    CHECK(outermost.to_ours(number) == inner);
    CHECK(found_in_proc(outermost, number) == inner);
}

TEST_CASE("the pid namespace of a process that is gone is not taken for that of whoever has its number") {
    const ChildProcess child;
    Process process = process_with(child.pid()).value();
    CHECK(PidNamespace::of(process).is_ours());
    --process.began;
    const PidNamespace nowhere = PidNamespace::of(process);
    CHECK_FALSE(nowhere.is_ours());
    CHECK(nowhere.to_ours(1) == 0);
    CHECK(nowhere.to_ours(child.pid()) == 0);
}

TEST_CASE("a pid namespace whose processes are gone has none") {
    ChildProcess outer([] { make_namespaces(1); });
    const std::uint32_t inner = only_child_of(outer.pid());
    const PidNamespace there = PidNamespace::of(inner);
    REQUIRE(there.to_ours(1) == inner);
    ::kill(static_cast<pid_t>(inner), SIGKILL);
    ::waitpid(static_cast<pid_t>(outer.pid()), nullptr, 0);  // it ends when it has waited for the inner one
    CHECK(there.to_ours(1) == 0);
    CHECK(found_in_proc(there, 1) == 0);
}
