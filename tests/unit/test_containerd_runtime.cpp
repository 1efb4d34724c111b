// What is said to containerd to run containers, and what it says.
#include <chrono>
#include <cstdint>
#include <fstream>
#include <iterator>
#include <limits>
#include <map>
#include <string>
#include <vector>

#include "cgroups1.pb.h"
#include "cgroups2.pb.h"
#include "containerd.pb.h"
#include "runtime.pb.h"

#include "engines/containerd/runtime/metrics.h"
#include "engines/containerd/runtime/runtime_error.h"
#include "engines/containerd/runtime/runtime_messages.h"
#include "engines/containerd/runtime/sha256.h"
#include "engines/containerd/runtime/spec_json.h"
#include "tests/unit/catch.h"

using namespace shorewatch;
using namespace shorewatch::containerd;
using Type = RuntimeEvent::Type;
using Kind = EngineError::Kind;

namespace {

std::string envelope(const std::string& topic, const google::protobuf::MessageLite& event) {
    api::Envelope message;
    message.mutable_timestamp()->set_seconds(1700000000);
    message.set_namespace_("shorewatch");
    message.set_topic(topic);
    message.mutable_event()->set_value(event.SerializeAsString());
    return message.SerializeAsString();
}

const Metric* figure(const Metrics& metrics, const std::string& name) {
    for (const Metric& one : metrics.figures) {
        if (one.name == name) return &one;
    }
    return nullptr;
}

std::uint64_t number(const Metrics& metrics, const std::string& name) {
    const Metric* const found = figure(metrics, name);
    INFO(name);
    REQUIRE(found != nullptr);
    return std::get<std::uint64_t>(found->value);
}

Metrics decoded(const std::string& type, const google::protobuf::MessageLite& group) {
    api::MetricsResponse response;
    api::Metric& metric = *response.add_metrics();
    metric.set_id("web");
    metric.mutable_timestamp()->set_seconds(1700000000);
    metric.mutable_data()->set_type_url(type);
    metric.mutable_data()->set_value(group.SerializeAsString());
    const auto metrics = decode_metrics(response.SerializeAsString());
    REQUIRE(metrics);
    return *metrics;
}

Kind kind_of(int code, const std::string& text) {
    grpc::Answer answer;
    answer.code = static_cast<grpc::Code>(code);
    answer.error = {code == 5 ? Kind::not_found : Kind::engine, text};
    return runtime_error(answer).kind;
}

}  // namespace

TEST_CASE("events say of which process of which container they are") {
    api::TaskExit exit;
    exit.set_container_id("web");
    exit.set_id("it");
    exit.set_pid(7);
    exit.set_exit_status(3);
    exit.mutable_exited_at()->set_seconds(1700000000);
    auto event = decode_runtime_event(envelope("/tasks/exit", exit));
    REQUIRE(event);
    CHECK(event->type == Type::exited);
    CHECK(event->place.id == "web");
    CHECK(event->place.name_space == "shorewatch");
    CHECK(event->exec_name == "it");
    CHECK(event->end.exit_code == 3);
    CHECK(event->end.time);
    exit.set_id("web");
    // Go's zero time.
    exit.mutable_exited_at()->set_seconds(-62135596800);
    event = decode_runtime_event(envelope("/tasks/exit", exit));
    REQUIRE(event);
    CHECK(event->exec_name.empty());
    CHECK_FALSE(event->end.time);

    api::TaskExecStarted started;
    started.set_container_id("web");
    started.set_exec_id("it");
    started.set_pid(8);
    event = decode_runtime_event(envelope("/tasks/exec-started", started));
    REQUIRE(event);
    CHECK(event->type == Type::exec_started);
    CHECK(event->pid == 8);
    api::TaskCreate created;
    created.set_container_id("web");
    created.set_pid(9);
    event = decode_runtime_event(envelope("/tasks/create", created));
    REQUIRE(event);
    CHECK(event->type == Type::created);
    CHECK(event->pid == 9);
}

TEST_CASE("events that make no sense are none") {
    api::TaskExit exit;
    exit.set_container_id("../web");
    CHECK_FALSE(decode_runtime_event(envelope("/tasks/exit", exit)));
    exit.set_container_id("web");
    exit.set_id("a/b");
    CHECK_FALSE(decode_runtime_event(envelope("/tasks/exit", exit)));
    CHECK_FALSE(decode_runtime_event(envelope("/images/create", exit)));
    CHECK_FALSE(decode_runtime_event("\xff\xff"));
    const api::TaskExecAdded nameless;
    CHECK_FALSE(decode_runtime_event(envelope("/tasks/exec-added", nameless)));
}

TEST_CASE("the statistics of control groups have the kernel's names, version 1") {
    cgroups1::Metrics group;
    group.mutable_pids()->set_current(3);
    group.mutable_cpu()->mutable_usage()->set_total(1000);
    group.mutable_cpu()->mutable_usage()->add_per_cpu(400);
    group.mutable_cpu()->mutable_usage()->add_per_cpu(600);
    group.mutable_memory()->set_rss(5);
    group.mutable_memory()->set_total_pg_maj_fault(6);
    group.mutable_memory()->mutable_usage()->set_limit(1 << 20);
    group.mutable_memory_oom_control()->set_oom_kill(2);
    cgroups1::BlkIOEntry& entry = *group.mutable_blkio()->add_io_service_bytes_recursive();
    entry.set_op("Read");
    entry.set_major(8);
    entry.set_value(4096);
    const Metrics metrics = decoded("io.containerd.cgroups.v1.Metrics", group);
    CHECK(metrics.cgroup_version == 1);
    CHECK(metrics.read_at);
    CHECK(number(metrics, "pids.current") == 3);
    CHECK(number(metrics, "pids.max") == std::numeric_limits<std::uint64_t>::max());
    CHECK(number(metrics, "cpuacct.usage") == 1000);
    CHECK(number(metrics, "memory.stat.rss") == 5);
    CHECK(number(metrics, "memory.stat.total_pgmajfault") == 6);
    CHECK(number(metrics, "memory.limit_in_bytes") == 1 << 20);
    CHECK(number(metrics, "memory.oom_control.oom_kill") == 2);
    CHECK(figure(metrics, "memory.memsw.usage_in_bytes") == nullptr);
    const Metric* const each = figure(metrics, "cpuacct.usage_percpu");
    REQUIRE(each != nullptr);
    CHECK(std::get<std::vector<std::uint64_t>>(each->value) == std::vector<std::uint64_t>{400, 600});
    const Metric* const io = figure(metrics, "blkio.io_service_bytes_recursive");
    REQUIRE(io != nullptr);
    const auto& devices = std::get<std::vector<Metric::OfDevice>>(io->value);
    REQUIRE(devices.size() == 1);
    CHECK(devices[0].operation == "Read");
    CHECK(devices[0].value == 4096);
}

TEST_CASE("the statistics of control groups have the kernel's names, version 2") {
    cgroups2::Metrics group;
    group.mutable_pids()->set_limit(10);
    group.mutable_cpu()->set_usage_usec(1000);
    group.mutable_memory()->set_anon(5);
    group.mutable_memory()->set_usage(7);
    group.mutable_memory()->set_usage_limit(std::numeric_limits<std::uint64_t>::max());
    group.mutable_memory_events()->set_oom_kill(1);
    cgroups2::IOEntry& entry = *group.mutable_io()->add_usage();
    entry.set_major(8);
    entry.set_rbytes(512);
    const Metrics metrics = decoded("io.containerd.cgroups.v2.Metrics", group);
    CHECK(metrics.cgroup_version == 2);
    CHECK(number(metrics, "pids.max") == 10);
    CHECK(number(metrics, "cpu.stat.usage_usec") == 1000);
    CHECK(number(metrics, "memory.stat.anon") == 5);
    CHECK(number(metrics, "memory.current") == 7);
    CHECK(number(metrics, "memory.max") == std::numeric_limits<std::uint64_t>::max());
    CHECK(number(metrics, "memory.events.oom_kill") == 1);
    const Metric* const io = figure(metrics, "io.stat.rbytes");
    REQUIRE(io != nullptr);
    CHECK(std::get<std::vector<Metric::OfDevice>>(io->value).at(0).value == 512);
}

// Of containerd 1.6.20 and runc 1.1.5 on Linux 6.1: 64 MiB, 30 processes, a whole CPU.
TEST_CASE("the statistics of a real host with control groups of version 2 are understood") {
    std::ifstream file(SHOREWATCH_SAMPLES "/containerd/metrics-cgroup2-1.6.20.bin", std::ios::binary);
    REQUIRE(file);
    const std::string message{std::istreambuf_iterator<char>(file), {}};
    const auto metrics = decode_metrics(message);
    REQUIRE(metrics);
    CHECK(metrics->cgroup_version == 2);
    REQUIRE(metrics->read_at);
    CHECK(metrics->read_at->time_since_epoch() / std::chrono::seconds(1) == 1795371742);
    const std::map<std::string, std::uint64_t> expected{
        {"pids.current", 2},
        {"pids.max", 30},
        {"cpu.stat.usage_usec", 2940432},
        {"cpu.stat.user_usec", 886706},
        {"cpu.stat.system_usec", 2053726},
        {"cpu.stat.nr_periods", 73},
        {"cpu.stat.nr_throttled", 5},
        {"cpu.stat.throttled_usec", 112115},
        {"memory.current", 442368},
        {"memory.max", 64 << 20},
        {"memory.swap.max", std::numeric_limits<std::uint64_t>::max()},
        {"memory.stat.anon", 110592},
        {"memory.stat.kernel_stack", 32768},
        {"memory.stat.slab", 198048},
        {"memory.stat.pgfault", 2573},
        {"memory.events.oom_kill", 0},
        {"hugetlb.2MB.max", std::numeric_limits<std::uint64_t>::max()},
        {"hugetlb.1GB.current", 0},
    };
    for (const auto& [name, value] : expected) {
        CAPTURE(name);
        CHECK(number(*metrics, name) == value);
    }
    const Metric* const io = figure(*metrics, "io.stat.wbytes");
    REQUIRE(io != nullptr);
    const auto& devices = std::get<std::vector<Metric::OfDevice>>(io->value);
    REQUIRE(devices.size() == 1);
    CHECK(devices[0].major == 254);
    CHECK(devices[0].value == 65536);
}

TEST_CASE("statistics that are none are told from none at all") {
    CHECK(decode_metrics("")->figures.empty());
    CHECK_FALSE(decode_metrics("\xff"));
    api::MetricsResponse response;
    response.add_metrics()->mutable_data()->set_type_url("something.else");
    CHECK(decode_metrics(response.SerializeAsString())->figures.empty());
    response.mutable_metrics(0)->mutable_data()->set_type_url("io.containerd.cgroups.v1.Metrics");
    response.mutable_metrics(0)->mutable_data()->set_value("\xff");
    CHECK_FALSE(decode_metrics(response.SerializeAsString()));
}

TEST_CASE("what has no code of its own is told by containerd's and runc's words") {
    CHECK(kind_of(2, "cannot exec in a paused state: unknown") == Kind::conflict);
    CHECK(kind_of(2, "cannot exec in a stopped state: unknown") == Kind::not_alive);
    CHECK(kind_of(2, "cannot pause a paused container: unknown") == Kind::conflict);
    CHECK(kind_of(5, "process already finished: not found") == Kind::no_process);
    CHECK(kind_of(5, "process it: not found") == Kind::not_found);
    CHECK(kind_of(6, "task web: already exists") == Kind::conflict);
    CHECK(kind_of(9, "snapshot is in use") == Kind::conflict);
    CHECK(kind_of(2,
                  "runc create failed: unable to start container process: exec: \"no\": executable file "
                  "not found in $PATH: unknown") == Kind::program_not_found);
    CHECK(kind_of(2, "exec: \"/x\": stat /x: no such file or directory: unknown") == Kind::program_not_found);
    CHECK(kind_of(2, "exec: \"/etc\": permission denied: unknown") == Kind::program_not_executable);
    CHECK(kind_of(2, "no such file or directory") == Kind::engine);
    CHECK(kind_of(2, "json: cannot unmarshal string into Go struct field") == Kind::invalid_spec);
    grpc::Answer answer;
    answer.code = static_cast<grpc::Code>(2);
    answer.error = {Kind::engine, "exec: \"criu\": executable file not found in $PATH"};
    CHECK(checkpoint_error(answer).kind == Kind::not_supported);
}

TEST_CASE("a specification is changed where it has to agree, and nowhere else") {
    CHECK_FALSE(spec_terminal("{}"));
    CHECK(spec_terminal(R"({"process":{"terminal":true}})"));
    CHECK(
        spec_with_terminal(R"({"a":[1,2.5,"x\u0000y"],"process":{"terminal":false,"args":["sh"]}})", true) ==
        R"({"a":[1,2.5,"x\u0000y"],"process":{"args":["sh"],"terminal":true}})");
    CHECK(spec_with_terminal("{}", true) == R"({"process":{"terminal":true}})");
    CHECK(spec_with_own_root(R"({"root":{"path":"/x","readonly":true},"hostname":"h"})") ==
          R"({"hostname":"h","root":{"readonly":true,"path":"rootfs"}})");
    CHECK(process_with_terminal(R"({"args":["sh"]})", true) == R"({"args":["sh"],"terminal":true})");
    CHECK(process_with_terminal(R"({"rlimit":18446744073709551615})", false) ==
          R"({"rlimit":18446744073709551615,"terminal":false})");
    for (const char* const wrong :
         {"", "[]", "null", "{", R"({"process":[]})", R"({"process":{"terminal":1}})"}) {
        CAPTURE(wrong);
        CHECK_THROWS_AS(spec_terminal(wrong), json::Malformed);
    }
    CHECK_THROWS_AS(process_terminal(R"({"terminal":"yes"})"), json::Malformed);
    CHECK_THROWS_AS(check_object("7"), json::Malformed);
}

TEST_CASE("digests are those of the standard's examples") {
    CHECK(sha256_digest("") == "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    CHECK(sha256_digest("abc") == "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    CHECK(sha256_digest("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq") ==
          "sha256:248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
    CHECK(sha256_digest(std::string(1'000'000, 'a')) ==
          "sha256:cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

TEST_CASE("a container's record is what containerd has of it") {
    NewContainer made{.place = {"shorewatch", "web"},
                      .spec_json = "{}",
                      .image = "busybox",
                      .snapshotter = "native",
                      .labels = {{"a", "b"}}};
    auto record = decode_raw_container(create_container_request(made, "{}", "web"));
    REQUIRE(record);
    CHECK(record->record.image == "busybox");
    CHECK(record->record.labels == LabelPairs{{"a", "b"}});
    CHECK(record->snapshotter == "native");
    CHECK(record->snapshot_key == "web");
    CHECK(record->spec == "{}");
    record = decode_raw_container(create_container_request(made, "{}", ""));
    REQUIRE(record);
    CHECK(record->snapshotter.empty());
    CHECK_FALSE(decode_raw_container("\xff"));
    CHECK_FALSE(decode_raw_container(""));
}
