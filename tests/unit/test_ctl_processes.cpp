// shorewatchctl: what it says of processes and addresses, and the signals and JSON that it is given.
#include <csignal>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include <fcntl.h>
#include <sched.h>
#include <unistd.h>

#include "dbus/ctl/enter.h"
#include "dbus/ctl/json_out.h"
#include "dbus/ctl/process_place.h"
#include "dbus/ctl/signal_name.h"
#include "dbus/ctl/views.h"
#include "tests/unit/catch.h"
#include "tests/unit/ctl_samples.h"

using namespace shorewatch;
using namespace shorewatch::ctl;
using namespace shorewatch::testing;

namespace {

// 11, the container's initial process, 12 its child, 13 that one's; 21 was put in by 3, and 22 is its child.
const std::map<std::uint32_t, ProcessLink> processes{
    {1, {1, 0, "systemd"}},     {3, {3, 1, "shim"}}, {11, {11, 3, "nginx"}}, {12, {12, 11, "worker"}},
    {13, {13, 12, "a b)\x1b"}}, {21, {21, 3, "sh"}}, {22, {22, 21, "top"}}};

std::vector<ProcessLink> chain_of(std::uint32_t pid) {
    return process_chain(
        pid,
        [](std::uint32_t of) {
            const auto found = processes.find(of);
            return found == processes.end() ? std::nullopt : std::optional(found->second);
        },
        [](std::uint32_t of) { return of > 10; });
}

std::vector<std::uint32_t> pids(const std::vector<ProcessLink>& chain) {
    std::vector<std::uint32_t> result;
    for (const ProcessLink& link : chain)
        result.push_back(link.pid);
    return result;
}

ProcessPlace place(std::uint32_t pid) {
    return {pid, container("web", {{"PID", sdbus::Variant(std::uint32_t{11})}}), chain_of(pid)};
}

}  // namespace

TEST_CASE("signals are known by their names and numbers") {
    CHECK(signal_number("TERM") == SIGTERM);
    CHECK(signal_number("SIGTERM") == SIGTERM);
    CHECK(signal_number("sigterm") == SIGTERM);
    CHECK(signal_number("15") == SIGTERM);
    CHECK(signal_number("RTMIN") == SIGRTMIN);
    CHECK(signal_number("SIGRTMIN+3") == SIGRTMIN + 3);
    CHECK(signal_number("RTMAX-1") == SIGRTMAX - 1);
    CHECK(signal_number("64") == 64);
    for (const char* const wrong : {"", "0", "-9", "65", "SIG", "TERMINATE", "9 ", "+9", "RTMIN3", "RTMIN-1",
                                    "RTMAX+1", "RTMIN+99", "99999999999999"}) {
        CAPTURE(wrong);
        CHECK_FALSE(signal_number(wrong));
    }
}

TEST_CASE("a process is read from /proc whatever it calls itself") {
    const auto plain = parse_stat("4711 (nginx) S 4242 4711 4711 0 -1\n");
    REQUIRE(plain);
    CHECK(plain->pid == 4711);
    CHECK(plain->parent == 4242);
    CHECK(plain->command == "nginx");
    const auto sly = parse_stat("7 (a) S 1 (b)) R 42 7 7\n");
    REQUIRE(sly);
    CHECK(sly->parent == 42);
    CHECK(sly->command == "a) S 1 (b)");
    for (const char* const wrong :
         {"", "7", "7 (a", "7 )a( S 1 2", "7 (a) S", "x (a) S 1 2", "7 (a) S x 2"}) {
        CAPTURE(wrong);
        CHECK_FALSE(parse_stat(wrong));
    }
    const auto ourselves = read_process(static_cast<std::uint32_t>(getpid()));
    REQUIRE(ourselves);
    CHECK(ourselves->parent == static_cast<std::uint32_t>(getppid()));
}

TEST_CASE("the chain of a process ends with the first parent that is not in its container") {
    CHECK(pids(chain_of(13)) == std::vector<std::uint32_t>{11, 12, 13});
    CHECK(pids(chain_of(11)) == std::vector<std::uint32_t>{11});
    CHECK(pids(chain_of(22)) == std::vector<std::uint32_t>{21, 22});
    CHECK(chain_of(99).empty());
    CHECK_FALSE(place(13).entered());
    CHECK(place(22).entered());
    // Parents that are read while processes come and go could lead in circles.
    const auto circle = process_chain(
        5, [](std::uint32_t of) { return ProcessLink{of, of == 5U ? 6U : 5U, "x"}; },
        [](std::uint32_t) { return true; });
    CHECK(circle.size() == 1000);
}

TEST_CASE("processes are listed with the containers that they are in, and those in none say so") {
    CHECK(process_table({place(13), {1, std::nullopt, {}}}, false, file) ==
          "PID  ENGINE  PROJECT  NAME               ID\n"
          " 13  docker  shop     web                aaaaaaaaaaaa\n"
          "  1  -       -        (in no container)  -\n");
    CHECK(lines_of(process_table({place(13)}, true, file))[1] ==
          " 13  docker  shop     web   " + std::string(64, 'a'));
}

TEST_CASE("the processes above one are shown as a branch, and names do no harm") {
    CHECK(process_trees({place(13), place(22), {1, std::nullopt, chain_of(1)}}, file) ==
          "web  docker/shop  aaaaaaaaaaaa\n"
          "└─ 11  nginx\n"
          "   └─ 12  worker\n"
          "      └─ 13  a b)\\x1b\n"
          "web  docker/shop  aaaaaaaaaaaa\n"
          "└─ 21  sh  (put into the container from outside)\n"
          "   └─ 22  top\n"
          "(in no container)\n"
          "└─ 1  systemd\n");
}

TEST_CASE("places of processes in JSON have the container with all its properties, or null") {
    const std::string text = to_json({{1, std::nullopt, chain_of(1)}}, true);
    CHECK(text ==
          "[\n"
          "  {\n"
          "    \"pid\": 1,\n"
          "    \"container\": null,\n"
          "    \"chain\": [\n"
          "      {\n"
          "        \"pid\": 1,\n"
          "        \"command\": \"systemd\"\n"
          "      }\n"
          "    ]\n"
          "  }\n"
          "]\n");
    const std::string inside = to_json({place(13)}, false);
    CHECK(inside.find("\"Name\": \"web\"") != std::string::npos);
    CHECK(inside.find("chain") == std::string::npos);
}

TEST_CASE("addresses are a table, or JSON") {
    const std::vector<Address> addresses{{"eth0", "10.0.0.2/24"}, {"e\x1b", "fe80::1/64"}};
    CHECK(address_table(addresses, file) ==
          "INTERFACE  ADDRESS\n"
          "eth0       10.0.0.2/24\n"
          "e\\x1b      fe80::1/64\n");
    CHECK(to_json(std::vector<Address>{{"eth0", "10.0.0.2/24"}}) ==
          "[\n"
          "  {\n"
          "    \"address\": \"10.0.0.2/24\",\n"
          "    \"interface\": \"eth0\"\n"
          "  }\n"
          "]\n");
}

TEST_CASE("JSON of an engine keeps its numbers, and what could steer a terminal is written out") {
    const auto text = ascii_json(
        "{\"big\":12345678901234567890123,\"exact\":1.50,\"e\":\"\u202e\u009b\","
        "\"list\":[null,true,{}]}");
    REQUIRE(text);
    CHECK(*text ==
          "{\n"
          "  \"big\": 12345678901234567890123,\n"
          "  \"exact\": 1.50,\n"
          "  \"e\": \"\\u202E\\u009B\",\n"
          "  \"list\": [\n"
          "    null,\n"
          "    true,\n"
          "    {}\n"
          "  ]\n"
          "}\n");
    for (const char* const wrong : {"", "{", "{} {}", "[1,]", "\"\xff\"", "no"}) {
        CAPTURE(wrong);
        CHECK_FALSE(ascii_json(wrong));
    }
    CHECK(ascii_json(std::string(100, '[') + std::string(100, ']')));
    CHECK_FALSE(ascii_json(std::string(101, '[') + std::string(101, ']')));
    CHECK_FALSE(ascii_json(std::string(1'000'000, '[')));
}

TEST_CASE("our own namespaces are not entered") {
    std::map<std::string, UniqueFd> ours;
    for (const std::string& type : namespace_types())
        ours.emplace(type, UniqueFd(open(("/proc/self/ns/" + type).c_str(), O_RDONLY | O_CLOEXEC)));
    CHECK(other_namespaces(ours) == 0);
    // Of a type of namespaces that is not known here.
    ours.emplace("future", UniqueFd(open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC)));
    CHECK(other_namespaces(ours) == 0);
    // Not what it should be: told from ours as any other file is.
    ours["net"] = UniqueFd(open("/dev/null", O_RDONLY | O_CLOEXEC));
    CHECK(other_namespaces(ours) == CLONE_NEWNET);
}
