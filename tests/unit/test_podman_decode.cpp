// Podman's JSON in this project's terms, read from what a real Podman 4.3 said (samples/podman, trimmed) and
// from lies.
#include <algorithm>
#include <array>
#include <fstream>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

#include "engines/http/json.h"
#include "engines/podman/podman_decode.h"
#include "engines/podman/podman_dialect.h"
#include "tests/unit/catch.h"

using namespace shorewatch;
using namespace shorewatch::podman;
using Type = ContainerEvent::Type;

namespace {

const std::string pod = "82219795bc4622d5b6e8371e907446199a0b95de22ae440440dbcb3c8eaf69f1";
const std::string app = "29bf6f668f4715d9a85018e16260265b95ee8fbcae99d3f524281e3a83e46c86";

std::string sample(const std::string& name) {
    std::ifstream file(std::string(SHOREWATCH_SAMPLES) + "/podman/" + name, std::ios::binary);
    if (!file) throw std::runtime_error("no sample " + name);
    std::ostringstream text;
    text << file.rdbuf();
    return text.str();
}

RealTime stamp(const char* text) {
    return parse_rfc3339(text).value();
}

ContainerPtr named(const rest::ContainerList& list, const std::string& name) {
    const auto found = std::ranges::find(list.containers, name, [](const auto& c) { return c->name; });
    return found != list.containers.end() ? *found : nullptr;
}

std::string event(const std::string& action, const std::string& attributes = {},
                  const std::string& type = "container") {
    return R"({"Type":")" + type + R"(","Action":")" + action + R"(","Actor":{"ID":"c1","Attributes":{)" +
           attributes + R"(}},"time":1700000000,"timeNano":1700000000000000007})";
}

std::string label(const Container& container, std::string_view key) {
    const std::string* value = container.labels->find(key);
    return value != nullptr ? "'" + *value + "'" : "none";
}

}  // namespace

TEST_CASE("of Podman's events, those that begin, end or change a run are told") {
    std::istringstream lines(sample("events-4.3.json"));
    std::string story;
    for (std::string line; std::getline(lines, line);) {
        const rest::EventLine decoded = decode_event(line);
        CHECK(decoded.complaint.empty());
        CHECK(decoded.exact_time);
        if (!decoded.event || decoded.event->container->name.starts_with("8221")) continue;
        const ContainerEvent& told = *decoded.event;
        static constexpr std::array words{"started", "exited", "paused", "unpaused",
                                          "renamed", "oom",    "removed"};
        story += told.container->name + " " + words.at(static_cast<std::size_t>(told.type));
        story += told.exit_code ? " " + std::to_string(*told.exit_code) + "\n" : "\n";
    }
    CHECK(story ==
          "web started\nweb paused\nweb unpaused\nweb2 renamed\nweb2 exited 137\nweb2 started\nweb2 removed\n"
          "app started\nshort started\nshort exited 3\npaused started\npaused paused\napp exited 137\napp "
          "removed\n");
}

TEST_CASE("an event of Podman's brings name, image, pod and labels, and no label can forge them") {
    const auto line = decode_event(event(
        "died",
        R"("name":"web","image":"i","podId":"p1","containerExitCode":"7","exitCode":"99","tier":"front")"));
    REQUIRE(line.event);
    CHECK(line.event->time == RealTime{std::chrono::nanoseconds(1700000000000000007)});
    CHECK(line.event->exit_code == 7);
    const Container& container = *line.event->container;
    CHECK(container.id == "c1");
    CHECK(container.name == "web");
    CHECK(container.image == "i");
    CHECK(container.pod_id == "p1");
    CHECK(container.exit_events_tell_code);
    CHECK(container.labels->entries() == std::vector<Labels::Entry>{{"exitCode", "99"},
                                                                    {std::string(pod_id_label), "p1"},
                                                                    {"tier", "front"}});
}

TEST_CASE("an exit code that Podman does not know is none") {
    CHECK_FALSE(decode_event(event("died")).event->exit_code);
    for (const char* code : {"-1", "", "seven", "99999999999"})
        CHECK_FALSE(decode_event(event("died", "\"containerExitCode\":\"" + std::string(code) + "\""))
                        .event->exit_code);
}

TEST_CASE("a checkpoint and a restore are gaps, and an error in the stream is a complaint") {
    CHECK_THAT(decode_event(event("checkpoint")).gap,
               Catch::Matchers::ContainsSubstring("checkpoint of container c1"));
    CHECK_THAT(decode_event(event("restore")).gap,
               Catch::Matchers::ContainsSubstring("restore of container c1"));
    CHECK(decode_event(R"({"cause":"EOF","message":"no journal","response":500})").complaint == "no journal");
}

TEST_CASE("a rotation of Podman's log is told with its time") {
    const auto line = decode_event(
        R"({"status":"log-rotation","Type":"system","Action":"log-rotation","Actor":{"ID":"","Attributes":{}},"timeNano":7})");
    CHECK(line.rotated == RealTime{std::chrono::nanoseconds(7)});
    CHECK_FALSE(line.event);
    CHECK_FALSE(decode_event(R"({"Type":"system","Action":"log-rotation"})").rotated);
    CHECK_FALSE(decode_event(R"({"Type":"system","Action":"prune","timeNano":7})").rotated);
    CHECK_FALSE(decode_event(R"({"Type":"container","Action":"log-rotation","timeNano":7})").rotated);
}

TEST_CASE("what is no event of a container's life is passed over") {
    const std::string text =
        GENERATE(event("exec_died", R"("containerExitCode":"5")"), event("init"), event("restart"),
                 event("cleanup"), event("stop"), event("start", "", "pod"), event("start", "", "image"),
                 std::string(R"({"Type":"container"})"),
                 std::string(R"({"Type":"container","Action":"start","Actor":{"ID":7},"timeNano":7})"),
                 std::string(R"({"Type":"container","Action":"start","Actor":{"ID":"c"}})"));
    const auto line = decode_event(text);
    CHECK_FALSE(line.event);
    CHECK(line.complaint.empty());
    CHECK(line.gap.empty());
}

TEST_CASE("Podman's list is of the living, with pid and pod") {
    const auto list = decode_list(sample("list-all-4.3.json"));
    CHECK(list.skipped == 0);
    REQUIRE(list.containers.size() == 3);
    const auto infra = named(list, "82219795bc46-infra");
    const auto frozen = named(list, "paused");
    const auto member = named(list, "app");
    REQUIRE(infra);
    REQUIRE(frozen);
    REQUIRE(member);
    CHECK(infra->sandbox);
    CHECK(label(*infra, infra_label) == "''");
    CHECK(infra->pod == "pd");
    CHECK_FALSE(member->sandbox);
    CHECK(member->id == app);
    CHECK(member->pid == 18563);
    CHECK(member->started == stamp("2026-11-22T03:31:58Z"));
    CHECK(member->image == "localhost/busybox:latest");
    CHECK(member->project == "shop");
    CHECK(member->pod == "pd");
    CHECK(member->pod_id == pod);
    CHECK(label(*member, pod_name_label) == "'pd'");
    CHECK(label(*member, pod_id_label) == "'" + pod + "'");
    CHECK(label(*member, infra_label) == "none");
    CHECK(frozen->paused);
    CHECK(frozen->pod.empty());
    CHECK(frozen->labels->entries().empty());
}

TEST_CASE("names that are longer than names are, are cut in Podman's list") {
    const std::string longest(5000, 'x');
    const auto list = decode_list(R"([{"Id":"1","State":"running","Pid":7,"Names":[")" + longest +
                                  R"("],"Labels":{"io.podman.compose.project":")" + longest + "\"}}]");
    REQUIRE(list.containers.size() == 1);
    CHECK(list.containers.at(0)->name == longest.substr(0, 4096));
    CHECK(list.containers.at(0)->project == longest.substr(0, 4096));
}

TEST_CASE("a container that is stopping is alive, one without a process of its own is not") {
    const auto list =
        decode_list(R"([{"Id":"a","State":"stopping","Pid":7},{"Id":"b","State":"running","Pid":0},
        {"Id":"c","State":"created","Pid":8},{"Id":"d","State":"initialized","Pid":9},{"Id":"e","State":"exited","Pid":0},
        {"Id":"f","State":"stopped","Pid":10},{"Id":"g"},{"State":"running","Pid":11},7,null])");
    REQUIRE(list.containers.size() == 1);
    CHECK(list.containers[0]->id == "a");
    CHECK_FALSE(list.containers[0]->started);
    CHECK(list.skipped == 3);
    for (const char* text : {"{}", "7", "null", "[", ""})
        CHECK_THROWS_AS(decode_list(text), json::Malformed);
}

TEST_CASE("Podman's inspection tells of a run what the list does not") {
    const Inspection member = decode_inspection(sample("inspect-app-4.3.json"));
    CHECK(member.alive);
    CHECK_FALSE(member.exit_code);
    CHECK(member.container->id == app);
    CHECK(member.container->name == "app");
    CHECK(member.container->pid == 18563);
    REQUIRE(member.container->started);
    CHECK(*member.container->started > stamp("2026-11-22T03:31:58Z"));
    CHECK(member.container->privileged);
    CHECK(label(*member.container, privileged_label) == "''");
    CHECK(member.container->pod_id == pod);
    CHECK(member.container->image == "localhost/busybox:latest");
    CHECK(member.container->project == "shop");

    CHECK(decode_inspection(sample("inspect-infra-4.3.json")).container->sandbox);
    const Inspection frozen = decode_inspection(sample("inspect-paused-4.3.json"));
    CHECK(frozen.alive);
    CHECK(frozen.container->paused);
    CHECK_FALSE(frozen.container->privileged);
}

TEST_CASE("Podman's inspection tells how a run ended, and no end lies before its start") {
    const Inspection over = decode_inspection(sample("inspect-short-4.3.json"));
    CHECK_FALSE(over.alive);
    CHECK(over.exit_code == 3);
    CHECK(over.container->pid == 0);
    // The sample says .453727883.
    CHECK(over.container->started == stamp("2026-11-22T03:31:58.457999986Z"));
    CHECK(over.finished == over.container->started);
    CHECK_FALSE(over.oom_killed);
}

TEST_CASE("an inspection of Podman's that makes no sense is refused") {
    for (const char* text : {"{}", "[]", R"({"Id":"c"})", R"({"Id":"c","State":7})", R"({"State":{}})", "{"})
        CHECK_THROWS_AS(decode_inspection(text), json::Malformed);
    const Inspection bare = decode_inspection(R"({"Id":"c","State":{"Pid":-7,"Status":"running"}})");
    CHECK_FALSE(bare.alive);
    CHECK(bare.container->labels->entries().empty());
}

TEST_CASE("a store on a host is what identifies Podman") {
    const rest::EngineInfo info = decode_info(sample("info-4.3.json"));
    CHECK(info.id == "shore:/var/lib/containers/storage");
    CHECK(info.version == "4.3.1");
    CHECK(decode_info("{}").id.empty());
    CHECK(decode_info(R"({"host":{"hostname":"h"}})").id.empty());
    CHECK_THROWS_AS(decode_info("[]"), json::Malformed);
}

TEST_CASE("Podman 4 and all later ones can be watched") {
    const std::string good = GENERATE("4.0.0", "4.3.1", "5.4.2", "6.0.0-dev", "10.1.0");
    const auto greeting = decode_version(&good);
    CHECK(greeting.refusal.empty());
    CHECK(greeting.prefix == "/v4.0.0");
}

TEST_CASE("what is too old, or no Podman, is refused by what it says") {
    const std::string old = "3.4.4";
    CHECK_THAT(decode_version(&old).refusal, Catch::Matchers::ContainsSubstring("Podman 3.4.4"));
    const std::string odd = "many";
    CHECK_THAT(decode_version(&odd).refusal, Catch::Matchers::ContainsSubstring("'many'"));
    CHECK_THAT(decode_version(nullptr).refusal, Catch::Matchers::ContainsSubstring("is this Podman?"));
}

TEST_CASE("a list tells the runs whole that were inspected before, and others in outline") {
    PodmanDialect dialect;
    const auto before = dialect.decode_list(sample("list-all-4.3.json"));
    for (const ContainerPtr& container : before.containers) {
        CHECK(container->pid == 0);
        CHECK_FALSE(container->started);
    }
    const ContainerPtr whole = dialect.decode_inspection(sample("inspect-app-4.3.json")).container;
    const auto again = named(dialect.decode_list(sample("list-all-4.3.json")), "app");
    CHECK(again->pid == 18563);
    CHECK(again->started == whole->started);
    CHECK(again->privileged);
    CHECK(again->pod == "pd");

    SECTION("until the end of the run is told") {
        static_cast<void>(dialect.decode_event(R"({"Type":"container","Action":"died","Actor":{"ID":")" +
                                               app + R"("},"timeNano":1700000000000000007})"));
        CHECK(named(dialect.decode_list(sample("list-all-4.3.json")), "app")->pid == 0);
    }
    SECTION("until another run is listed") {
        std::string other = sample("list-all-4.3.json");
        other.replace(other.find("18563"), 5, "18564");
        CHECK(named(dialect.decode_list(other), "app")->pid == 0);
    }
    SECTION("until it is not listed") {
        static_cast<void>(dialect.decode_list("[]"));
        CHECK(named(dialect.decode_list(sample("list-all-4.3.json")), "app")->pid == 0);
    }
    SECTION("with the name and the pause that the list tells") {
        std::string other = sample("list-all-4.3.json");
        other.replace(other.find(R"("app")"), 5, R"("new")");
        other.replace(other.find(R"("running")", other.find(R"("new")")), 9, R"("paused")");
        const auto changed = named(dialect.decode_list(other), "new");
        REQUIRE(changed);
        CHECK(changed->pid == 18563);
        CHECK(changed->paused);
    }
}

TEST_CASE("an inspection is completed by the name of the pod, which is asked for once") {
    PodmanDialect dialect;
    Inspection member = dialect.decode_inspection(sample("inspect-app-4.3.json"));
    CHECK(dialect.supplement_path(member) == "/libpod/pods/" + pod + "/json");
    SECTION("a pod that is gone leaves it as it is") {
        dialect.supplement(member, {});
        CHECK(member.container->pod.empty());
        CHECK(label(*member.container, pod_id_label) == "'" + pod + "'");
    }
    SECTION("its name is in the labels too") {
        dialect.supplement(member, sample("pod-4.3.json"));
        CHECK(member.container->pod == "pd");
        CHECK(label(*member.container, pod_name_label) == "'pd'");
        CHECK(label(*member.container, privileged_label) == "''");
        const Inspection infra = dialect.decode_inspection(sample("inspect-infra-4.3.json"));
        CHECK(infra.container->pod == "pd");
        CHECK(dialect.supplement_path(infra).empty());
    }
    CHECK(dialect.supplement_path(dialect.decode_inspection(sample("inspect-short-4.3.json"))).empty());
}

TEST_CASE("labels that were left out stay told as such when the pod's name comes") {
    const Inspection member =
        decode_inspection(R"({"Id":"c","Pod":"p","State":{},"Config":{"Labels":{"big":")" +
                          std::string(100'000, 'x') + R"("}}})");
    REQUIRE(member.container->labels->truncated());
    const ContainerPtr named_too = with_pod_name(*member.container, "tide");
    CHECK(named_too->labels->truncated());
    CHECK(label(*named_too, pod_name_label) == "'tide'");
}

TEST_CASE("the clock of a Podman on another host is that of its greeting") {
    PodmanDialect dialect;
    const http::Head head{200, {{"libpod-api-version", "4.3.1"}, {"date", "Sun, 22 Nov 2026 03:26:33 GMT"}}};
    CHECK(dialect.decode_ping(head).clock == stamp("2026-11-22T03:26:33Z"));
    const http::Head odd{200, {{"libpod-api-version", "4.3.1"}, {"date", "soon"}}};
    CHECK_FALSE(dialect.decode_ping(odd).clock);
}
