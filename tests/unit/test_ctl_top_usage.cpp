// shorewatchctl top: what control groups say of a container, in each of their layouts.
#include <filesystem>
#include <fstream>
#include <map>
#include <string>

#include <stdlib.h>

#include "dbus/ctl/top/control_groups.h"
#include "tests/unit/catch.h"

using namespace shorewatch::ctl;

namespace {

namespace fs = std::filesystem;

const std::string id(64, 'c');

// A /proc and a /sys/fs/cgroup in a folder of the test's own.
class Machine {
  public:
    Machine() {
        std::string name = (fs::temp_directory_path() / "shorewatch-cgroups.XXXXXX").string();
        REQUIRE(mkdtemp(name.data()) != nullptr);
        folder_ = name;
    }
    ~Machine() { fs::remove_all(folder_); }
    Machine(const Machine&) = delete;
    Machine& operator=(const Machine&) = delete;

    void write(const std::string& file, const std::string& text) const {
        fs::create_directories((folder_ / file).parent_path());
        std::ofstream(folder_ / file) << text;
    }
    [[nodiscard]] ControlGroups groups() const { return {folder_ / "proc", folder_ / "cgroup"}; }

  private:
    fs::path folder_;
};

}  // namespace

TEST_CASE("version 2 of control groups: processor time, and memory without files that can go") {
    const Machine machine;
    machine.write("proc/42/cgroup", "0::/system.slice/docker-" + id + ".scope/init.scope\n");
    const std::string group = "cgroup/system.slice/docker-" + id + ".scope/";
    machine.write(group + "cpu.stat", "usage_usec 2500\nuser_usec 2000\n");
    machine.write(group + "memory.current", "10000\n");
    machine.write(group + "memory.stat", "anon 1\ninactive_file 4000\ninactive_file_more 9\n");
    const Usage usage = machine.groups().read({42, id, ""}, 7);
    CHECK(usage.read_at == 7);
    CHECK(usage.cpu_time == 2'500'000U);
    CHECK(usage.memory == 6000U);
}

TEST_CASE("version 1 of control groups, with controllers alone and together") {
    const Machine machine;
    machine.write("proc/42/cgroup", "4:memory:/docker/" + id + "\n3:cpu,cpuacct:/docker/" + id +
                                        "\n1:name=systemd:/docker/" + id + "\n");
    machine.write("cgroup/memory/docker/" + id + "/memory.usage_in_bytes", "5000\n");
    machine.write("cgroup/memory/docker/" + id + "/memory.stat",
                  "inactive_file 1\ntotal_inactive_file 6000\n");
    machine.write("cgroup/cpu,cpuacct/docker/" + id + "/cpuacct.usage", "123456789\n");
    const Usage usage = machine.groups().read({42, id, ""}, 0);
    CHECK(usage.cpu_time == 123'456'789U);
    CHECK(usage.memory == 0U);  // the two files are not read at once
}

TEST_CASE("where both versions are mounted, each says what it counts") {
    const Machine machine;
    machine.write("proc/42/cgroup", "4:memory:/lab/x\n0::/lab/x\n");
    machine.write("cgroup/memory/lab/x/memory.usage_in_bytes", "5000\n");
    machine.write("cgroup/unified/lab/x/cpu.stat", "usage_usec 3\n");
    const Usage usage = machine.groups().read({42, "short", "/lab/x"}, 0);
    CHECK(usage.cpu_time == 3000U);
    CHECK(usage.memory == 5000U);
}

TEST_CASE("the group that the daemon names is the container's, not one that it made below") {
    const Machine machine;
    machine.write("proc/42/cgroup", "0::/custom/group/inner/most\n");
    machine.write("cgroup/custom/group/memory.current", "77\n");
    machine.write("cgroup/custom/group/inner/most/memory.current", "1\n");
    CHECK(machine.groups().read({42, id, "/custom/group"}, 0).memory == 77U);
    CHECK(machine.groups().read({42, id, "/custom/gro"}, 0).memory == 1U);
}

TEST_CASE("what can't be read, or is of the whole machine, is absent") {
    const Machine machine;
    machine.write("cgroup/cpu.stat", "usage_usec 1\n");
    machine.write("cgroup/memory.current", "1\n");
    machine.write("proc/1/cgroup", "0::/\n");
    machine.write("proc/2/cgroup", "0::/../outside\n");
    machine.write("proc/3/cgroup", "no line of that kind\n0:\n");
    machine.write("proc/4/cgroup", "0::/gone\n");
    machine.write("proc/6/cgroup", "0::/odd\n");
    machine.write("cgroup/odd/memory.current", "max\n");
    machine.write("cgroup/odd/cpu.stat", "usage_usec\n");
    for (const std::uint32_t pid : {0U, 1U, 2U, 3U, 4U, 5U, 6U}) {
        const Usage usage = machine.groups().read({pid, id, ""}, 0);
        CHECK_FALSE(usage.cpu_time);
        CHECK_FALSE(usage.memory);
    }
}

TEST_CASE("processor time is told from two readings of the same run") {
    const Machine machine;
    machine.write("proc/42/cgroup", "0::/a\n");
    machine.write("proc/43/cgroup", "0::/a\n");
    machine.write("cgroup/a/cpu.stat", "usage_usec 1000000\n");
    UsageSamples samples;
    samples.take(machine.groups(), {{"/web", {42, id, ""}}}, 10'000'000);
    CHECK_FALSE(samples.usage().at("/web").cpu);
    machine.write("cgroup/a/cpu.stat", "usage_usec 4000000\n");
    samples.take(machine.groups(), {{"/web", {42, id, ""}}}, 12'000'000);
    CHECK(samples.usage().at("/web").cpu == Approx(150.0));
    // Another pid is another run, and what is not shown is not kept.
    samples.take(machine.groups(), {{"/web", {43, id, ""}}}, 14'000'000);
    CHECK_FALSE(samples.usage().at("/web").cpu);
    samples.take(machine.groups(), {}, 16'000'000);
    CHECK(samples.usage().empty());
}
