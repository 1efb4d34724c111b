// Which processes are believed to be the container's that an engine has named, and what is known of them.
#include <array>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <fstream>
#include <future>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include <fcntl.h>
#include <linux/securebits.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "daemon/processes/init_process.h"
#include "daemon/processes/pidfd.h"
#include "tests/fakes/leak_check.h"
#include "tests/unit/catch.h"
#include "tests/unit/child_process.h"

using namespace shorewatch;
using namespace std::chrono_literals;

namespace {

constexpr std::uint32_t nobody = 0x7FFFFFFF;
constexpr uid_t alice = 12345;
constexpr uid_t bob = 12346;
constexpr uid_t of_alice = 200000;  // within her containers

Container container_with(std::uint32_t pid, std::optional<RealTime> started) {
    Container container;
    container.id = "4f5e1c0aa7f19cbd0f9f2c42ae1c4f4f3b1d9b4a2f0ce9d7a6b5c4d3e2f10987";
    container.pid = pid;
    container.started = started;
    return container;
}

// As engines tell it: the run is stamped when its process is there.
Container container_with(std::uint32_t pid) {
    return container_with(pid, real_time_now());
}

Teller user(uid_t uid) {
    return {uid, false};
}

std::uint32_t only_child_of(std::uint32_t pid) {
    const std::string number = std::to_string(pid);
    std::ifstream file("/proc/" + number + "/task/" + number + "/children");
    std::uint32_t child = 0;
    file >> child;
    REQUIRE(child != 0);
    return child;
}

// Two processes in a pid namespace of their own, one the other's child.
void make_pid_namespace() {
    if (::unshare(CLONE_NEWPID) != 0) ::_exit(1);
    if (const pid_t first = ::fork(); first != 0) {
        ::waitpid(first, nullptr, 0);
        ::_exit(0);
    }
    // Whoever is first in a namespace is not reached by what ends its parent.
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (::fork() == 0) {
        while (true)
            ::pause();
    }
}

// Not in a chroot, for one, where packages are built.
bool may_make_user_namespaces() {
    const pid_t child = ::fork();
    if (child == 0) ::_exit(::unshare(CLONE_NEWUSER) == 0 ? 0 : 1);
    int status = 0;
    return ::waitpid(child, &status, 0) == child && status == 0;
}

// The process of a container of alice: its user namespace is hers, and its user is none but there.
void enter_namespace_of_alice() {
    std::array<int, 2> ends{};
    if (::pipe(ends.data()) != 0) ::_exit(1);
    const std::string map = "/proc/" + std::to_string(::getpid()) + "/uid_map";
    const pid_t helper = ::fork();
    char token = '!';
    if (helper == 0) {
        ::close(ends[1]);
        if (::read(ends[0], &token, 1) != 1) ::_exit(1);
        const std::string text = "0 " + std::to_string(of_alice) + " 1";
        const int file = ::open(map.c_str(), O_WRONLY | O_CLOEXEC);
        ::_exit(::write(file, text.data(), text.size()) > 0 ? 0 : 1);
    }
    int status = 0;
    // With all rights kept: whether users may make namespaces is not what is tested.
    const bool is_alice =
        ::prctl(PR_SET_SECUREBITS, SECBIT_NO_SETUID_FIXUP) == 0 && ::setresuid(alice, alice, alice) == 0;
    if (!is_alice || ::unshare(CLONE_NEWUSER) != 0) ::_exit(1);
    if (::write(ends[1], &token, 1) != 1 || ::waitpid(helper, &status, 0) != helper || status != 0)
        ::_exit(1);
    if (::setresuid(0, 0, 0) != 0) ::_exit(1);
    ::close(ends[0]);
    ::close(ends[1]);
}

// A process in a cgroup with this name below our own, in whichever hierarchy one can be made; both go
// together.
class ProcessInCgroup {
  public:
    explicit ProcessInCgroup(const std::string& name) {
        for (const Cgroup& cgroup : cgroups_of(static_cast<std::uint32_t>(::getpid()))) {
            std::string mount =
                cgroup.hierarchy.starts_with("name=") ? cgroup.hierarchy.substr(5) : cgroup.hierarchy;
            if (mount == "cpuset") continue;  // nobody may enter before it has been set up
            path_ = "/sys/fs/cgroup/" + mount + cgroup.path + "/" + name;
            if (::mkdir(path_.c_str(), 0755) != 0) continue;
            std::ofstream procs(path_ + "/cgroup.procs");
            if (procs << child_.pid() << std::flush) {
                made_ = Cgroup{cgroup.hierarchy, (cgroup.path == "/" ? "" : cgroup.path) + "/" + name};
                return;
            }
            ::rmdir(path_.c_str());
        }
    }
    ProcessInCgroup(const ProcessInCgroup&) = delete;
    ProcessInCgroup& operator=(const ProcessInCgroup&) = delete;
    ~ProcessInCgroup() {
        child_.end();
        if (made_) ::rmdir(path_.c_str());
    }
    [[nodiscard]] std::uint32_t pid() const { return child_.pid(); }
    // None: no cgroup can be made here.
    [[nodiscard]] const std::optional<Cgroup>& made() const { return made_; }

  private:
    ChildProcess child_;
    std::string path_;
    std::optional<Cgroup> made_;
};

struct World {
    DescriptorBudget budget{16};
    KernelProcesses processes{budget};

    Held open(const Container& container, const Teller& teller = {::geteuid(), false}) {
        return processes.open(container, teller);
    }
};

}  // namespace

TEST_CASE("the process that an engine names is held, and another who asks gets a descriptor of it") {
    const fakes::LeakCheck leaks;
    World world;
    ChildProcess child;
    const Held held = world.open(container_with(child.pid()));
    INFO(held.reason);
    REQUIRE(held.process);
    CHECK(held.process->pid() == child.pid());
    CHECK(held.process->facts().process == process_with(child.pid()));
    REQUIRE(held.process->pidfd());
    CHECK_FALSE(held.process->has_ended());
    CHECK(pid_of(held.process->open()) == child.pid());
    child.kill();
    CHECK(held.process->has_ended());
    child.end();
    CHECK(held.process->has_ended());
}

TEST_CASE("a process that is over is told to be gone, waited for or not") {
    World world;
    ChildProcess child;
    const Container container = container_with(child.pid());
    child.kill();
    CHECK(world.open(container).why == NotHeld::gone);
    child.end();
    CHECK(world.open(container_with(nobody)).why == NotHeld::gone);
    CHECK_FALSE(world.open(container_with(nobody)).process);
}

TEST_CASE("the number of a thread is no process's") {
    World world;
    std::promise<pid_t> number;
    std::promise<void> over;
    std::thread thread([&] {
        number.set_value(static_cast<pid_t>(::syscall(SYS_gettid)));
        over.get_future().wait();
    });
    const Held held = world.open(container_with(static_cast<std::uint32_t>(number.get_future().get())));
    over.set_value();
    thread.join();
    CHECK_FALSE(held.process);
    CHECK(held.why == NotHeld::another);
    CHECK(held.reason.find("thread") != std::string::npos);
}

TEST_CASE("a process that began after the run did is another one with its number") {
    World world;
    const ChildProcess child;
    const RealTime began = began_at(process_with(child.pid()).value());
    CHECK(world.open(container_with(child.pid(), began)).process);
    CHECK(world.open(container_with(child.pid(), began + 4min)).process);
    // Nor is one that was there long before.
    CHECK_FALSE(world.open(container_with(child.pid(), began + 1h)).process);
    for (const auto started : {std::optional(began - 1h), std::optional<RealTime>()}) {
        const Held held = world.open(container_with(child.pid(), started));
        CHECK_FALSE(held.process);
        CHECK(held.why == NotHeld::another);
        CHECK(held.reason.find(std::to_string(child.pid())) != std::string::npos);
    }
}

TEST_CASE("a process in the cgroup that is named after the container is the container's, whenever it began") {
    World world;
    Container container = container_with(1, RealTime{} + 1h);
    const ProcessInCgroup process("docker-" + container.id + ".scope");
    if (!process.made()) {
        WARN("no cgroup can be made here");
        return;
    }
    container.pid = process.pid();
    const Held held = world.open(container);
    REQUIRE(held.process);
    CHECK(cgroup_path_of(held.process) == process.made()->path);
    // Of another user's engine it is not enough.
    CHECK_FALSE(world.open(container, user(alice)).process);
    container.id = std::string(64, 'f');
    CHECK(world.open(container).why == NotHeld::another);
    container.started = real_time_now();
    const Held apart = world.open(container);
    REQUIRE(apart.process);
    CHECK(apart.process->facts().cgroup == process.made());
}

TEST_CASE("a process that shares its parent's cgroup has none of its own") {
    World world;
    const ChildProcess child;
    const Held held = world.open(container_with(child.pid()));
    REQUIRE(held.process);
    CHECK_FALSE(held.process->facts().cgroup);
    CHECK(cgroup_path_of(held.process).empty());
    CHECK(cgroup_path_of(nullptr).empty());
    CHECK(unit_of(nullptr).empty());
}

TEST_CASE("a user's engine may name that user's processes, and nobody else's") {
    World world;
    const ChildProcess of_root;
    const ChildProcess hers([] {
        if (::setresuid(alice, alice, alice) != 0) ::_exit(1);
    });
    CHECK(world.open(container_with(hers.pid()), user(alice)).process);
    CHECK(world.open(container_with(hers.pid()), user(bob)).why == NotHeld::another);
    CHECK_FALSE(world.open(container_with(hers.pid()), user(bob)).process);
    CHECK(world.open(container_with(of_root.pid()), user(alice)).why == NotHeld::another);
    CHECK_FALSE(world.open(container_with(of_root.pid()), user(alice)).process);
    CHECK(world.open(container_with(hers.pid()), user(0)).process);
}

TEST_CASE("a user's engine may name processes in the user namespaces that are that user's") {
    if (!may_make_user_namespaces()) {
        WARN("no user namespace can be made here");
        return;
    }
    World world;
    const ChildProcess container(enter_namespace_of_alice);
    struct stat status{};
    REQUIRE(::stat(("/proc/" + std::to_string(container.pid())).c_str(), &status) == 0);
    REQUIRE(status.st_uid == of_alice);
    CHECK(world.open(container_with(container.pid()), user(alice)).process);
    CHECK(world.open(container_with(container.pid()), user(0)).process);
    const Held held = world.open(container_with(container.pid()), user(bob));
    CHECK_FALSE(held.process);
    CHECK(held.why == NotHeld::another);
    CHECK(held.reason.find(std::to_string(bob)) != std::string::npos);
}

TEST_CASE("an engine of which nobody knows whose it is names no process, unless it is in a container") {
    World world;
    const ChildProcess child;
    const Held held = world.open(container_with(child.pid()), {std::nullopt, false});
    CHECK_FALSE(held.process);
    CHECK(held.why == NotHeld::unknown);
    CHECK(world.open(container_with(child.pid()), {std::nullopt, true}).process);
    CHECK(world.open(container_with(child.pid()), {bob, true}).process);
}

TEST_CASE("a pid namespace is a container's if its process is the first of it") {
    World world;
    const ChildProcess outer(make_pid_namespace);
    const std::uint32_t first = only_child_of(outer.pid());
    const std::uint32_t second = only_child_of(first);
    struct stat there{};
    REQUIRE(::stat(("/proc/" + std::to_string(first) + "/ns/pid").c_str(), &there) == 0);
    const Held held = world.open(container_with(first));
    REQUIRE(held.process);
    CHECK(held.process->facts().pid_namespace == there.st_ino);
    const Held other = world.open(container_with(second));
    REQUIRE(other.process);
    CHECK(other.process->facts().pid_namespace == 0);
    const Held outside = world.open(container_with(outer.pid()));
    REQUIRE(outside.process);
    CHECK(outside.process->facts().pid_namespace == 0);
}

TEST_CASE("without a descriptor to spare a process is held by its number and when it began") {
    const fakes::LeakCheck leaks;
    DescriptorBudget none(0);
    KernelProcesses processes(none);
    ChildProcess child;
    const Held held = processes.open(container_with(child.pid()), user(0));
    REQUIRE(held.process);
    CHECK_FALSE(held.process->pidfd());
    CHECK_FALSE(held.process->has_ended());
    CHECK(pid_of(held.process->open()) == child.pid());
    SECTION("dead, and not waited for") {
        child.kill();
    }
    SECTION("gone") {
        child.end();
    }
    SECTION("another process has its number") {
        InitProcess::Facts facts = held.process->facts();
        --facts.process.began;
        const InitProcess former(facts, UniqueFd(), {});
        CHECK(former.has_ended());
        CHECK_FALSE(former.open());
        CHECK(errno == ESRCH);
        return;
    }
    CHECK(held.process->has_ended());
    CHECK_FALSE(held.process->open());
    CHECK(errno == ESRCH);
}

TEST_CASE("a process that lives is not taken for gone where there is no descriptor to look at it with") {
    World world;
    ChildProcess child;
    const Container living = container_with(child.pid());
    rlimit before{};
    REQUIRE(::getrlimit(RLIMIT_NOFILE, &before) == 0);
    const rlimit none{0, before.rlim_max};
    REQUIRE(::setrlimit(RLIMIT_NOFILE, &none) == 0);
    const Held held = world.open(living);
    const Held gone = world.open(container_with(nobody));
    const bool given_back = ::setrlimit(RLIMIT_NOFILE, &before) == 0;
    REQUIRE(given_back);
    CHECK_FALSE(held.process);
    CHECK(held.why == NotHeld::unknown);
    CHECK_FALSE(gone.process);
    CHECK(gone.why == NotHeld::gone);
    CHECK(world.open(living).process);
}

TEST_CASE("what a process was held with is given back when nobody holds it any more") {
    DescriptorBudget one(1);
    KernelProcesses processes(one);
    const ChildProcess child;
    Held first = processes.open(container_with(child.pid()), user(0));
    REQUIRE(first.process);
    CHECK(first.process->pidfd());
    const Held second = processes.open(container_with(child.pid()), user(0));
    REQUIRE(second.process);
    CHECK_FALSE(second.process->pidfd());
    first = {};
    const Held third = processes.open(container_with(child.pid()), user(0));
    REQUIRE(third.process);
    CHECK(third.process->pidfd());
    // Nor does one that is not held keep any.
    DescriptorBudget another(1);
    KernelProcesses others(another);
    CHECK_FALSE(others.open(container_with(nobody), user(0)).process);
    CHECK_FALSE(others.open(container_with(child.pid(), std::nullopt), user(0)).process);
    CHECK(another.take());
}

TEST_CASE("no more descriptors are given out than there are, by however many threads, and all come back") {
    constexpr std::size_t most = 7;
    DescriptorBudget budget(most);
    std::atomic<std::size_t> taken = 0;
    std::atomic<bool> exceeded = false;
    std::vector<std::thread> threads;
    for (int i = 0; i < 8; ++i) {
        threads.emplace_back([&] {
            for (int round = 0; round < 5000; ++round) {
                const DescriptorBudget::Share share = budget.take();
                if (!share) continue;
                if (++taken > most) exceeded = true;
                --taken;
            }
        });
    }
    for (std::thread& thread : threads)
        thread.join();
    CHECK_FALSE(exceeded);
    std::vector<DescriptorBudget::Share> all;
    for (std::size_t i = 0; i < most; ++i) {
        all.push_back(budget.take());
        CHECK(all.back());
    }
    CHECK_FALSE(budget.take());
    all.pop_back();
    CHECK(budget.take());
}

TEST_CASE("this process's budget leaves some of its descriptors for everything else") {
    rlimit before{};
    REQUIRE(::getrlimit(RLIMIT_NOFILE, &before) == 0);
    const rlimit few{64, before.rlim_max};
    REQUIRE(::setrlimit(RLIMIT_NOFILE, &few) == 0);
    const std::size_t most = DescriptorBudget::of_this_process();
    rlimit raised{};
    REQUIRE(::getrlimit(RLIMIT_NOFILE, &raised) == 0);
    REQUIRE(::setrlimit(RLIMIT_NOFILE, &before) == 0);
    CHECK(raised.rlim_cur == before.rlim_max);
    CHECK(most > 0);
    CHECK(most < raised.rlim_cur);
}
