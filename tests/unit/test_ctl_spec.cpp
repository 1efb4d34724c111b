// shorewatchctl run: what the runtime is told of the container that somebody asks for.
#include <algorithm>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include <rapidjson/document.h>
#include <rapidjson/pointer.h>

#include "dbus/ctl/exit_code.h"
#include "dbus/ctl/oci/capabilities.h"
#include "dbus/ctl/oci/image_config.h"
#include "dbus/ctl/oci/resources.h"
#include "dbus/ctl/oci/spec.h"
#include "dbus/ctl/oci/users.h"
#include "tests/fakes/temporary_folder.h"
#include "tests/unit/catch.h"

using namespace shorewatch;
using namespace shorewatch::ctl;

namespace {

// JSON to be asked for values by JSON pointers.
class Parsed {
  public:
    explicit Parsed(const std::string& text) {
        document_.Parse(text.c_str());
        REQUIRE_FALSE(document_.HasParseError());
    }
    const rapidjson::Value& at(const char* pointer) const {
        const rapidjson::Value* const value = rapidjson::Pointer(pointer).Get(document_);
        INFO(pointer);
        REQUIRE(value != nullptr);
        return *value;
    }
    bool has(const char* pointer) const { return rapidjson::Pointer(pointer).Get(document_) != nullptr; }
    std::vector<std::string> texts(const char* pointer) const {
        std::vector<std::string> result;
        for (const auto& value : at(pointer).GetArray())
            result.emplace_back(value.GetString());
        return result;
    }
    // The member of each element of an array that has it.
    std::vector<std::string> members(const char* pointer, const char* name) const {
        std::vector<std::string> result;
        for (const auto& value : at(pointer).GetArray()) {
            if (value.HasMember(name) && value[name].IsString()) result.emplace_back(value[name].GetString());
        }
        return result;
    }

  private:
    rapidjson::Document document_;
};

bool contains(const std::vector<std::string>& texts, const std::string& text) {
    return std::find(texts.begin(), texts.end(), text) != texts.end();
}

ContainerPlan plan(const std::vector<std::string>& command = {"sh"}) {
    ContainerPlan result;
    result.process.arguments = command;
    result.process.environment = default_environment();
    result.cgroup_path = "/shorewatch/web";
    result.machine = "x86_64";
    return result;
}

// The rules of a seccomp profile that allow a call whatever its arguments are.
bool is_allowed(const Parsed& spec, const std::string& call) {
    for (const auto& rule : spec.at("/linux/seccomp/syscalls").GetArray()) {
        if (std::string(rule["action"].GetString()) != "SCMP_ACT_ALLOW" || rule.HasMember("args")) continue;
        for (const auto& name : rule["names"].GetArray()) {
            if (name.GetString() == call) return true;
        }
    }
    return false;
}

void write_file(const std::filesystem::path& path, const std::string& content) {
    std::filesystem::create_directories(path.parent_path());
    std::ofstream(path) << content;
}

// A root with users: root, web (1000, of group 2000, and in 5 and 2001), and one whose line is broken.
void write_users(const std::filesystem::path& root) {
    write_file(root / "etc/passwd",
               "root:x:0:0::/root:/bin/sh\nbroken:x:-1:7\n\nweb:x:1000:2000::/:/bin/sh\nnogroup:x:1001\n");
    write_file(root / "etc/group", "root:x:0:\ntty:x:5:root,web\nweb:x:2000:web\nmore:x:2001:web,other\n");
}

}  // namespace

TEST_CASE("a container has all namespaces of its own, and the host's network only if asked for") {
    ContainerPlan asked = plan();
    CHECK(Parsed(spec_json(asked)).members("/linux/namespaces", "type") ==
          std::vector<std::string>{"pid", "ipc", "uts", "mount", "cgroup", "network"});
    asked.network = Network::host;
    CHECK_FALSE(contains(Parsed(spec_json(asked)).members("/linux/namespaces", "type"), "network"));
}

TEST_CASE("a container sees nothing of the host in /proc and /sys that it could read secrets from or steer") {
    const Parsed spec(spec_json(plan()));
    for (const char* const path : {"/proc/kcore", "/proc/keys", "/sys/firmware", "/proc/timer_list"})
        CHECK(contains(spec.texts("/linux/maskedPaths"), path));
    for (const char* const path : {"/proc/sys", "/proc/sysrq-trigger", "/proc/irq"})
        CHECK(contains(spec.texts("/linux/readonlyPaths"), path));
    const auto mounts = spec.members("/mounts", "destination");
    CHECK(mounts == std::vector<std::string>{"/proc", "/dev", "/dev/pts", "/dev/shm", "/dev/mqueue", "/sys",
                                             "/sys/fs/cgroup"});
    CHECK(contains(spec.texts("/mounts/5/options"), "ro"));
    CHECK(contains(spec.texts("/mounts/6/options"), "ro"));
    CHECK_FALSE(spec.at("/linux/resources/devices/0/allow").GetBool());
}

TEST_CASE("the process is what was asked for, and gets no privileges that it does not have at its start") {
    ContainerPlan asked = plan({"sh", "-c", "echo 'hallo \"wörld\"\n'"});
    asked.process.folder = "/srv";
    asked.process.user = {1000, 2000, {5, 6}};
    asked.hostname = "web";
    asked.root = "/srv/root";
    asked.root_read_only = true;
    const Parsed spec(spec_json(asked));
    CHECK(spec.texts("/process/args") == asked.process.arguments);
    CHECK(spec.texts("/process/env").front().starts_with("PATH="));
    CHECK(spec.at("/process/cwd").GetString() == std::string("/srv"));
    CHECK(spec.at("/process/user/uid").GetUint() == 1000);
    CHECK(spec.at("/process/user/gid").GetUint() == 2000);
    CHECK(spec.at("/process/user/additionalGids/1").GetUint() == 6);
    CHECK(spec.at("/process/noNewPrivileges").GetBool());
    CHECK_FALSE(spec.at("/process/terminal").GetBool());
    CHECK_FALSE(spec.has("/process/consoleSize"));
    CHECK_FALSE(spec.has("/process/capabilities/inheritable"));
    CHECK(spec.at("/hostname").GetString() == std::string("web"));
    CHECK(spec.at("/root/path").GetString() == std::string("/srv/root"));
    CHECK(spec.at("/root/readonly").GetBool());
    CHECK(spec.at("/linux/cgroupsPath").GetString() == std::string("/shorewatch/web"));
}

TEST_CASE("a terminal has the size of ours from the start, if ours has one") {
    ContainerPlan asked = plan();
    asked.process.terminal = TerminalSize{132, 43};
    const Parsed spec(spec_json(asked));
    CHECK(spec.at("/process/terminal").GetBool());
    CHECK(spec.at("/process/consoleSize/width").GetUint() == 132);
    CHECK(spec.at("/process/consoleSize/height").GetUint() == 43);
    asked.process.terminal = TerminalSize{};
    const Parsed unsized(spec_json(asked));
    CHECK(unsized.at("/process/terminal").GetBool());
    CHECK_FALSE(unsized.has("/process/consoleSize"));
}

TEST_CASE("by default a container has Docker's capabilities and a filter of system calls") {
    const Parsed spec(spec_json(plan()));
    const auto capabilities = spec.texts("/process/capabilities/bounding");
    CHECK(capabilities.size() == 14);
    CHECK(contains(capabilities, "CAP_CHOWN"));
    CHECK_FALSE(contains(capabilities, "CAP_SYS_ADMIN"));
    CHECK(spec.texts("/process/capabilities/effective") == capabilities);
    CHECK(spec.texts("/process/capabilities/permitted") == capabilities);
    CHECK(spec.at("/linux/seccomp/defaultAction").GetString() == std::string("SCMP_ACT_ERRNO"));
    for (const char* const call : {"read", "openat", "execve", "futex", "chroot", "arch_prctl", "statx"})
        CHECK(is_allowed(spec, call));
    for (const char* const call :
         {"mount", "unshare", "setns", "clone", "clone3", "socket", "bpf", "kexec_load", "keyctl", "reboot",
          "init_module", "io_uring_setup", "userfaultfd", "acct"})
        CHECK_FALSE(is_allowed(spec, call));
    ContainerPlan asked = plan();
    asked.seccomp = false;
    CHECK_FALSE(Parsed(spec_json(asked)).has("/linux/seccomp"));
}

TEST_CASE("a capability comes with the system calls that it is for") {
    ContainerPlan asked = plan();
    asked.process.capabilities =
        changed_capabilities(default_capabilities(), {"SYS_ADMIN", "cap_sys_time"}, {"SYS_CHROOT"});
    const Parsed spec(spec_json(asked));
    for (const char* const call : {"mount", "clone", "clone3", "unshare", "settimeofday"})
        CHECK(is_allowed(spec, call));
    CHECK_FALSE(is_allowed(spec, "chroot"));
    CHECK_FALSE(is_allowed(spec, "init_module"));
}

TEST_CASE("the filter of system calls knows what is special about a machine") {
    ContainerPlan asked = plan();
    CHECK(Parsed(spec_json(asked)).texts("/linux/seccomp/architectures").front() == "SCMP_ARCH_X86_64");
    asked.machine = "aarch64";
    const Parsed arm(spec_json(asked));
    CHECK(arm.texts("/linux/seccomp/architectures") ==
          std::vector<std::string>{"SCMP_ARCH_AARCH64", "SCMP_ARCH_ARM"});
    CHECK(is_allowed(arm, "cacheflush"));
    CHECK_FALSE(is_allowed(arm, "arch_prctl"));
    asked.machine = "riscv64";
    CHECK_FALSE(Parsed(spec_json(asked)).has("/linux/seccomp/architectures"));
}

TEST_CASE("capabilities are known by their names however they are written") {
    CHECK(capability_name("NET_RAW") == "CAP_NET_RAW");
    CHECK(capability_name("cap_net_raw") == "CAP_NET_RAW");
    CHECK_FALSE(capability_name("NET_COOKED"));
    CHECK_FALSE(capability_name(""));
    const Capabilities base{"CAP_CHOWN", "CAP_KILL"};
    CHECK(changed_capabilities(base, {"NET_RAW"}, {"kill"}) == Capabilities{"CAP_CHOWN", "CAP_NET_RAW"});
    CHECK(changed_capabilities(base, {"NET_RAW"}, {"all"}) == Capabilities{"CAP_NET_RAW"});
    CHECK(changed_capabilities(base, {"ALL"}, {"KILL"}).size() == 40);
    CHECK(changed_capabilities(base, {"KILL"}, {"KILL"}) == Capabilities{"CAP_CHOWN"});
}

TEST_CASE("limits are told to the runtime in its own units, and nothing of what was not asked for") {
    Resources limits;
    CHECK(limits.empty());
    CHECK(resources_json(limits) == "{}");
    limits.memory = byte_count("64m");
    limits.pids = 50;
    limits.cpu_quota = cpu_quota("1.5");
    limits.cpus = "0-1";
    CHECK_FALSE(limits.empty());
    CHECK(
        resources_json(limits) ==
        R"({"memory":{"limit":67108864},"cpu":{"quota":150000,"period":100000,"cpus":"0-1"},"pids":{"limit":50}})");
    ContainerPlan asked = plan();
    asked.resources = limits;
    CHECK(Parsed(spec_json(asked)).at("/linux/resources/pids/limit").GetInt() == 50);
    Resources others;
    others.memory_reservation = 1;
    others.memory_and_swap = -1;
    others.cpu_shares = 512;
    CHECK(resources_json(others) == R"({"memory":{"reservation":1,"swap":-1},"cpu":{"shares":512}})");
}

TEST_CASE("an amount of memory is a whole number with a unit") {
    CHECK(byte_count("1") == 1);
    CHECK(byte_count("1b") == 1);
    CHECK(byte_count("2k") == 2048);
    CHECK(byte_count("3M") == 3 << 20);
    CHECK(byte_count("1g") == 1 << 30);
    CHECK(byte_count("8388607t") == 8388607LL << 40);
    for (const char* const wrong :
         {"", "0", "m", "-1m", "1.5g", "1x", "1mb", "8388608t", "99999999999999999999", " 1"}) {
        INFO(wrong);
        CHECK_FALSE(byte_count(wrong));
    }
}

TEST_CASE("an amount of processors may be a fraction") {
    CHECK(cpu_quota("1") == 100'000);
    CHECK(cpu_quota("0.25") == 25'000);
    CHECK(cpu_quota("0.01") == 1000);
    for (const char* const wrong : {"", "0", "-1", "0.001", "1e3", "nan", "inf", "10001", "1,5", "1 "}) {
        INFO(wrong);
        CHECK_FALSE(cpu_quota(wrong));
    }
    CHECK(is_cpu_list("0"));
    CHECK(is_cpu_list("0-2,7"));
    for (const char* const wrong : {"", ",", "0,", "2-1", "a", "0-", "-1", "0--1"}) {
        INFO(wrong);
        CHECK_FALSE(is_cpu_list(wrong));
    }
}

TEST_CASE("a folder of the host is seen in the container where it was asked for") {
    const auto mount = bind_mount("/srv/data:/data:ro");
    REQUIRE(mount);
    ContainerPlan asked = plan();
    asked.mounts = {*mount, bind_mount("/a:/b").value()};
    const Parsed spec(spec_json(asked));
    CHECK(spec.at("/mounts/7/source").GetString() == std::string("/srv/data"));
    CHECK(spec.at("/mounts/7/destination").GetString() == std::string("/data"));
    CHECK(spec.texts("/mounts/7/options") == std::vector<std::string>{"rbind", "rprivate", "ro"});
    CHECK(contains(spec.texts("/mounts/8/options"), "rw"));
    for (const char* const wrong : {"", "/a", "a:/b", "/a:b", "/a:/b:rox", "/a:/b:ro:ro", ":/b", "/a:"}) {
        INFO(wrong);
        CHECK_FALSE(bind_mount(wrong));
    }
}

TEST_CASE("limits of processes are soft and hard ones") {
    const auto same = resource_limit("nofile=1024");
    REQUIRE(same);
    CHECK((same->type == "RLIMIT_NOFILE" && same->soft == 1024 && same->hard == 1024));
    const auto both = resource_limit("core=0:unlimited");
    REQUIRE(both);
    CHECK((both->soft == 0 && both->hard == UINT64_MAX));
    for (const char* const wrong :
         {"", "nofile", "nofile=", "nofile=-1", "files=1", "nofile=2:1", "nofile=1:", "NOFILE=1"}) {
        INFO(wrong);
        CHECK_FALSE(resource_limit(wrong));
    }
    ContainerPlan asked = plan();
    asked.process.limits = {*both};
    CHECK(Parsed(spec_json(asked)).at("/process/rlimits/0/hard").GetUint64() == UINT64_MAX);
}

TEST_CASE("what an image says is taken, and what it should not say is left alone") {
    const auto image =
        image_config(R"({"architecture":"amd64","config":{"Entrypoint":["/init"],"Cmd":["-d"],)"
                     R"("Env":["PATH=/bin","A=1"],"WorkingDir":"/srv","User":"web:web"}})");
    REQUIRE(image);
    CHECK(image->entrypoint == std::vector<std::string>{"/init"});
    CHECK(image->command == std::vector<std::string>{"-d"});
    CHECK(image->environment == std::vector<std::string>{"PATH=/bin", "A=1"});
    CHECK((image->folder == "/srv" && image->user == "web:web"));
    const auto odd =
        image_config(R"({"config":{"Entrypoint":"/init","Cmd":[1,null,"x"],"Env":{},"User":7}})");
    REQUIRE(odd);
    CHECK(odd->entrypoint.empty());
    CHECK(odd->command == std::vector<std::string>{"x"});
    CHECK((odd->environment.empty() && odd->user.empty()));
    CHECK(image_config("{}").has_value());
    CHECK(image_config(R"({"config":null})").has_value());
    for (const char* const wrong : {"", "[]", "7", "{", "\"x\"", "{\"a\":\"\xff\"}"})
        CHECK_FALSE(image_config(wrong));
}

TEST_CASE("a command replaces an image's arguments, and an entrypoint its entrypoint") {
    ImageConfig image;
    image.entrypoint = {"/init", "-v"};
    image.command = {"serve"};
    using Line = std::vector<std::string>;
    CHECK(command_line(image, {}, std::nullopt) == Line{"/init", "-v", "serve"});
    CHECK(command_line(image, {"a", "b"}, std::nullopt) == Line{"/init", "-v", "a", "b"});
    CHECK(command_line(image, {"a"}, "/bin/sh") == Line{"/bin/sh", "a"});
    CHECK(command_line(image, {}, "/bin/sh") == Line{"/bin/sh"});
    CHECK(command_line(image, {"a"}, "") == Line{"a"});
    CHECK(command_line({}, {}, std::nullopt).empty());
}

TEST_CASE("variables that are given replace those that are there") {
    const std::vector<std::string> base{"PATH=/bin", "A=1"};
    CHECK(changed_environment(base, {"A=2", "B=", "PATHS=x", "B=3"}) ==
          std::vector<std::string>{"PATH=/bin", "A=2", "B=3", "PATHS=x"});
}

TEST_CASE("a user is found by name or number in the files of the container") {
    const fakes::TemporaryFolder folder;
    write_users(folder.path());
    const std::string root = folder.path();
    const User web = user_of("web", root);
    CHECK((web.uid == 1000 && web.gid == 2000));
    CHECK(web.groups == std::vector<std::uint32_t>{5, 2001});
    CHECK(user_of("1000", root).groups == web.groups);
    const User grouped = user_of("web:tty", root);
    CHECK((grouped.uid == 1000 && grouped.gid == 5 && grouped.groups.empty()));
    CHECK(user_of("web:77", root).gid == 77);
    CHECK((user_of("4711", root).uid == 4711 && user_of("4711", root).gid == 0));
    CHECK(user_of("nogroup", root).uid == 1001);
    CHECK(user_of("", root).groups == std::vector<std::uint32_t>{5});
    CHECK_THROWS_AS(user_of("broken", root), CommandError);
    CHECK_THROWS_AS(user_of("nobody", root), CommandError);
    CHECK_THROWS_AS(user_of("web:none", root), CommandError);
    CHECK_THROWS_AS(user_of("4294967295", root), CommandError);
    CHECK_THROWS_AS(user_of("web", root + "/none"), CommandError);
}

TEST_CASE("without the files of a container users are numbers, and root") {
    CHECK((user_of("", std::nullopt).uid == 0 && user_of("root", std::nullopt).uid == 0));
    const User user = user_of("1000:100", std::nullopt);
    CHECK((user.uid == 1000 && user.gid == 100));
    CHECK_THROWS_AS(user_of("web", std::nullopt), CommandError);
    const fakes::TemporaryFolder empty;
    CHECK(user_of("1000", std::string(empty.path())).uid == 1000);
}

TEST_CASE("no link in a container leads to the users of the host") {
    const fakes::TemporaryFolder folder;
    const fakes::TemporaryFolder outside;
    write_users(outside.path());
    std::filesystem::create_directories(folder.path() / "etc");
    std::filesystem::create_symlink(outside.path() / "etc/passwd", folder.path() / "etc/passwd");
    CHECK_THROWS_AS(user_of("web", std::string(folder.path())), CommandError);
    write_file(folder.path() / "real/passwd", "web:x:7:8::/:/bin/sh\n");
    std::filesystem::remove(folder.path() / "etc/passwd");
    std::filesystem::create_symlink("/real/passwd", folder.path() / "etc/passwd");
    CHECK(user_of("web", std::string(folder.path())).uid == 7);
}
