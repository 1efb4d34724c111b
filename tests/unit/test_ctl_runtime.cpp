// shorewatchctl ps, stats and exec: what is shown of containers, and what one more process in them is like.
#include <optional>
#include <string>
#include <vector>

#include <rapidjson/document.h>

#include "dbus/ctl/json_out.h"
#include "dbus/ctl/oci/exec_process.h"
#include "dbus/ctl/runtime/runtime_client.h"
#include "dbus/ctl/runtime/runtime_views.h"
#include "tests/unit/catch.h"
#include "tests/unit/ctl_samples.h"

using namespace shorewatch;
using namespace shorewatch::ctl;
using namespace shorewatch::testing;

namespace {

using BlockRow1 = sdbus::Struct<std::uint64_t, std::uint64_t, std::string, std::uint64_t>;
using BlockRow2 = sdbus::Struct<std::uint64_t, std::uint64_t, std::uint64_t>;

sdbus::Variant number(std::uint64_t value) {
    return sdbus::Variant(value);
}

StatsReading version_1(std::uint64_t read_at, std::uint64_t cpu_time) {
    const std::vector<BlockRow1> blocks{{8ULL, 0ULL, "Read", 4096ULL},
                                        {8ULL, 0ULL, "Write", 8192ULL},
                                        {8ULL, 0ULL, "Total", 12288ULL},
                                        {8ULL, 16ULL, "Read", 1ULL}};
    return {read_at,
            {{"CgroupVersion", sdbus::Variant(std::uint32_t{1})},
             {"cpuacct.usage", number(cpu_time)},
             {"memory.usage_in_bytes", number(70 << 20)},
             {"memory.stat.total_inactive_file", number(6 << 20)},
             {"memory.limit_in_bytes", number(128 << 20)},
             {"pids.current", number(3)},
             {"pids.max", number(50)},
             {"blkio.throttle.io_service_bytes", sdbus::Variant(blocks)}}};
}

StatsReading version_2(std::uint64_t read_at, std::uint64_t cpu_usec) {
    const std::vector<BlockRow2> reads{{8ULL, 0ULL, 100ULL}, {8ULL, 16ULL, 50ULL}};
    return {read_at,
            {{"CgroupVersion", sdbus::Variant(std::uint32_t{2})},
             {"cpu.stat.usage_usec", number(cpu_usec)},
             {"memory.current", number(1000)},
             {"memory.stat.inactive_file", number(2000)},
             {"memory.max", number(UINT64_MAX)},
             {"pids.current", number(1)},
             {"pids.max", number(UINT64_MAX)},
             {"io.stat.rbytes", sdbus::Variant(reads)}}};
}

RuntimeContainer made(const std::string& id, Properties properties) {
    properties.emplace("CreatedAt", number(start));
    return runtime_container(id, "containerd", std::move(properties));
}

constexpr const char* inspection =
    R"({"ID":"web","Image":"","Spec":{"root":{"path":"/srv/root"},"process":{"terminal":true,)"
    R"("consoleSize":{"height":1,"width":2},"user":{"uid":7,"gid":8},"args":["/init"],"env":["PATH=/bin","A=1"],)"
    R"("cwd":"/srv","capabilities":{"bounding":["CAP_KILL"]},"noNewPrivileges":true,"rlimits":[]}},"Task":null})";

}  // namespace

TEST_CASE("containers are listed with how they are, or how they have ended") {
    const std::vector<RuntimeContainer> containers{
        made("web", {{"Status", sdbus::Variant(std::string("running"))},
                     {"PID", sdbus::Variant(std::uint32_t{4711})},
                     {"Image", sdbus::Variant(std::string("busybox"))}}),
        made("job", {{"Status", sdbus::Variant(std::string("stopped"))},
                     {"ExitCode", sdbus::Variant(std::uint32_t{3})},
                     {"ExitedAt", number(start + 5 * second)}}),
        made("new", {{"Status", sdbus::Variant(std::string(""))}})};
    CHECK(runtime_table(containers, start + 65 * second, file) ==
          "ID   IMAGE    STATUS                PID  CREATED\n"
          "web  busybox  running              4711  1m5s ago\n"
          "job  -        exited (3) 1m0s ago     -  1m5s ago\n"
          "new  -        not started             -  1m5s ago\n");
    CHECK(containers[0].alive());
    CHECK_FALSE(containers[1].alive());
}

TEST_CASE("properties of containers that later versions bring are in the JSON too") {
    const std::string json =
        to_json(std::vector{made("web", {{"Colour", sdbus::Variant(std::string("blue"))}})});
    CHECK(json.find(R"("Colour": "blue")") != std::string::npos);
    CHECK(json.find(R"("Id": "web")") != std::string::npos);
    CHECK(json.find(R"("Engine": "containerd")") != std::string::npos);
}

TEST_CASE("what a container uses is told alike for both versions of control groups") {
    const Usage one = usage_of(version_1(start, 1'000'000'000));
    CHECK(one.cpu_time == 1'000'000'000U);
    CHECK(one.memory == std::uint64_t{64} << 20U);
    CHECK(one.memory_limit == std::uint64_t{128} << 20U);
    CHECK((one.bytes_read == 4097U && one.bytes_written == 8192U));
    CHECK((one.processes == 3U && one.process_limit == 50U));
    const Usage two = usage_of(version_2(start, 1'000'000));
    CHECK(two.cpu_time == 1'000'000'000U);
    CHECK(two.memory == 0U);
    CHECK_FALSE(two.memory_limit);
    CHECK(two.bytes_read == 150U);
    CHECK_FALSE(two.bytes_written);
    CHECK((two.processes == 1U && !two.process_limit));
}

TEST_CASE("what the kernel does not count is not made up") {
    const Usage usage = usage_of({start, {{"CgroupVersion", sdbus::Variant(std::string("nonsense"))}}});
    CHECK_FALSE((usage.cpu_time || usage.memory || usage.processes || usage.bytes_read));
    CHECK(usage_table({{"web", usage, std::nullopt}}, file) ==
          "ID   CPU %  MEMORY  LIMIT  MEM %  READ  WRITTEN  PROCESSES\n"
          "web      -       -      -      -     -        -          -\n");
}

TEST_CASE("the load of a processor is what was used of the time between two readings") {
    const Usage before = usage_of(version_1(start, 1'000'000'000));
    const Usage later = usage_of(version_1(start + 2 * second, 4'000'000'000));
    CHECK(cpu_percent(before, later) == Approx(150.0));
    CHECK_FALSE(cpu_percent(later, before));
    CHECK_FALSE(cpu_percent(before, before));
    CHECK_FALSE(cpu_percent({}, later));
    CHECK(usage_table({{"web", later, 150.0}}, file) ==
          "ID   CPU %    MEMORY    LIMIT  MEM %      READ   WRITTEN  PROCESSES\n"
          "web  150.0  64.0 MiB  128 MiB   50.0  4.00 KiB  8.00 KiB       3/50\n");
}

TEST_CASE("readings in JSON have numbers, and null for what is not known") {
    const std::string lines =
        to_json({{"web", usage_of(version_2(start, 5)), 12.5}, {"db", {}, std::nullopt}});
    CHECK(
        lines.find(
            R"({"id":"web","read_at":1795305893123456,"cpu_time":5000,"cpu_percent":12.5,"memory":0,)"
            R"("memory_limit":null,"bytes_read":150,"bytes_written":null,"processes":1,"process_limit":null})") ==
        0);
    CHECK(lines_of(lines).size() == 2);
}

TEST_CASE("sizes have three digits and a unit") {
    CHECK(byte_text(0) == "0 B");
    CHECK(byte_text(1023) == "1023 B");
    CHECK(byte_text(1024) == "1.00 KiB");
    CHECK(byte_text(10 * 1024) == "10.0 KiB");
    CHECK(byte_text(1023 * 1024) == "1.00 MiB");
    CHECK(byte_text(999 * 1024) == "999 KiB");
    CHECK(byte_text(std::uint64_t{5} << 30U) == "5.00 GiB");
    CHECK(byte_text(UINT64_MAX) == "16.0 EiB");
}

TEST_CASE("one more process is like the container's own, but for what was asked") {
    ExecPlan plan;
    plan.arguments = {"sh", "-c", "echo \"$A\""};
    rapidjson::Document same;
    same.Parse(exec_json(inspection, plan).value().c_str());
    CHECK(std::string(same["args"][2].GetString()) == "echo \"$A\"");
    CHECK(same["env"].Size() == 2);
    CHECK(same["cwd"].GetString() == std::string("/srv"));
    CHECK(same["user"]["uid"].GetUint() == 7);
    CHECK(same["capabilities"]["bounding"].Size() == 1);
    CHECK(same["noNewPrivileges"].GetBool());
    CHECK_FALSE(same["terminal"].GetBool());
    CHECK_FALSE(same.HasMember("consoleSize"));

    plan.environment = {"A=2", "B=3"};
    plan.folder = "/tmp";
    plan.user = User{1000, 100, {5}};
    plan.terminal = TerminalSize{80, 24};
    rapidjson::Document other;
    other.Parse(exec_json(inspection, plan).value().c_str());
    std::vector<std::string> variables;
    for (const auto& value : other["env"].GetArray())
        variables.emplace_back(value.GetString());
    CHECK(variables == std::vector<std::string>{"PATH=/bin", "A=2", "TERM=xterm", "B=3"});
    CHECK(other["cwd"].GetString() == std::string("/tmp"));
    CHECK(other["user"]["uid"].GetUint() == 1000);
    CHECK(other["user"]["additionalGids"][0].GetUint() == 5);
    CHECK(other["terminal"].GetBool());
    CHECK(other["consoleSize"]["width"].GetUint() == 80);
}

TEST_CASE("what an engine says of a container may be anything") {
    const ExecPlan plan{{"sh"}, {}, {}, {}, {}};
    for (const char* const odd :
         {"", "null", "[]", "{}", R"({"Spec":null})", R"({"Spec":{"process":[]}})", "{\"Spec\":"}) {
        INFO(odd);
        CHECK_FALSE(exec_json(odd, plan));
        CHECK_FALSE(root_of(odd));
    }
    CHECK(exec_json(R"({"Spec":{"process":{"env":7,"user":"x"}}})", plan).has_value());
    CHECK(root_of(inspection) == "/srv/root");
    CHECK_FALSE(root_of(R"({"Spec":{"root":{"path":"rootfs"}}})"));
}
