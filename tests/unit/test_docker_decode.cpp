// Docker's JSON in this project's terms, read from what real engines said (samples/docker, trimmed) and from
// lies.
#include <algorithm>
#include <fstream>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

#include "engines/docker/docker_decode.h"
#include "engines/http/json.h"
#include "engines/rest/recent_events.h"
#include "tests/unit/catch.h"

using namespace shorewatch;
using namespace shorewatch::docker;
using rest::ContainerList;
using rest::EngineInfo;
using rest::RecentEvents;
using Type = ContainerEvent::Type;

namespace {

const std::string web = "0a0e8a6b9af996048bd9f2ca3f5d7c925f596cf2fe51f21cda30c839058a6989";
const std::string liar = "f4bfe765b8a5e6a7098187b844bd0d5a00890cc5a1549c18c4163bb8866cb4ef";

std::string sample(const std::string& name) {
    std::ifstream file(std::string(SHOREWATCH_SAMPLES) + "/docker/" + name, std::ios::binary);
    if (!file) throw std::runtime_error("no sample " + name);
    std::ostringstream text;
    text << file.rdbuf();
    return text.str();
}

std::vector<ContainerEvent> sample_events(const std::string& name) {
    std::istringstream lines(sample(name));
    std::vector<ContainerEvent> events;
    for (std::string line; std::getline(lines, line);) {
        if (auto decoded = decode_event(line); decoded.event) events.push_back(std::move(*decoded.event));
    }
    return events;
}

std::string event_json(const std::string& action, const std::string& attributes, const std::string& id = "c1",
                       const std::string& rest = R"(,"timeNano":1700000000123456789)") {
    return R"({"Type":"container","Action":")" + action + R"(","Actor":{"ID":")" + id +
           R"(","Attributes":{)" + attributes + "}}" + rest + "}";
}

std::string described(const ContainerEvent& event) {
    static const std::vector<std::string> names{"started", "exited", "paused", "unpaused", "renamed", "oom"};
    return names.at(static_cast<std::size_t>(event.type)) + " " + event.container->name +
           (event.exit_code ? " " + std::to_string(*event.exit_code) : "");
}

}  // namespace

TEST_CASE("Docker 20.10's events become what happened to containers, and nothing else") {
    const auto events = sample_events("events-20.10.json");
    std::vector<std::string> story;
    for (const auto& event : events)
        story.push_back(described(event));
    CHECK(story == std::vector<std::string>{"started web", "paused web", "unpaused web", "renamed web2",
                                            "started liar", "exited liar 99", "exited web2 137",
                                            "started web2"});
    const ContainerEvent& start = events.front();
    CHECK(start.container->id == web);
    CHECK(start.container->image == "bb:1");
    CHECK(start.container->project == "shop");
    CHECK(start.container->labels->entries() ==
          std::vector<Labels::Entry>{{"com.docker.compose.project", "shop"},
                                     {"com.docker.compose.service", "web"},
                                     {"quote", "\"x\""}});
    CHECK(start.container->pid == 0);
    CHECK(start.container->exit_events_tell_code);
    CHECK(to_decimal_seconds(start.time) == "1795308682.165613462");
    // What an action adds to the attributes is no label.
    for (const auto& event : events) {
        CHECK(event.container->labels->find("oldName") == nullptr);
        CHECK(event.container->labels->find("name") == nullptr);
        if (event.container->id == web) CHECK(event.container->labels->entries().size() == 3);
    }
}

TEST_CASE("a label named exitCode replaces the code in Docker's die event, and its container says so") {
    const auto events = sample_events("events-20.10.json");
    const auto start = std::ranges::find_if(
        events, [](const auto& event) { return event.container->id == liar && event.type == Type::started; });
    REQUIRE(start != events.end());
    CHECK_FALSE(start->container->exit_events_tell_code);
    const Inspection inspection = decode_inspection(sample("inspect-exited-20.10.json"));
    CHECK(inspection.exit_code == 7);
    CHECK_FALSE(inspection.container->exit_events_tell_code);
    const auto list = decode_list(R"([{"Id":"a","Labels":{"exitCode":"1"}},{"Id":"b","Labels":{"x":"1"}}])");
    CHECK_FALSE(list.containers.at(0)->exit_events_tell_code);
    CHECK(list.containers.at(1)->exit_events_tell_code);
    // Even where the label itself does not fit in.
    const std::string attributes = R"("exitCode":")" + std::string(Labels::max_bytes, '1') + "\"";
    CHECK_FALSE(decode_event(event_json("start", attributes)).event->container->exit_events_tell_code);
}

TEST_CASE("an event needs no more than its type, action, actor and time") {
    const auto line = decode_event(event_json("start", R"("name":"n","image":"i","a":"b")"));
    REQUIRE(line.event);
    CHECK(line.exact_time);
    CHECK(line.event->container->name == "n");
    CHECK(line.event->container->image == "i");
    CHECK(line.event->container->labels->entries() == std::vector<Labels::Entry>{{"a", "b"}});
    const auto coarse = decode_event(event_json("die", "", "c1", R"(,"time":1700000000)"));
    REQUIRE(coarse.event);
    CHECK_FALSE(coarse.exact_time);
    CHECK(to_decimal_seconds(coarse.event->time) == "1700000000.000000000");
    CHECK(coarse.event->container->name.empty());
    CHECK_FALSE(coarse.event->exit_code);
}

TEST_CASE("an exit code is a number, or it is not known") {
    const auto code = [](const std::string& value) {
        return decode_event(event_json("die", R"("exitCode":)" + value)).event->exit_code;
    };
    CHECK(code(R"("0")") == 0);
    CHECK(code(R"("137")") == 137);
    CHECK(code(R"("4294967295")") == std::nullopt);
    for (const char* value : {R"("")", R"("1x")", R"(" 1")", "1", "null", "{}"}) {
        CAPTURE(value);
        CHECK(code(value) == std::nullopt);
    }
}

TEST_CASE("events that are of no use are passed over") {
    for (const std::string& text :
         {event_json("create", ""), event_json("exec_create: /bin/sh -c true", ""),
          event_json("health_status: healthy", ""), event_json("start", "", ""),
          event_json("start", "", std::string(257, 'a')), event_json("start", "", "a\\u0000b"),
          event_json("start", "", "a\xFF"), event_json("start", "", "c1", ""),
          event_json("start", "", "c1", R"(,"time":-1)"),
          event_json("start", "", "c1", R"(,"time":9223372036854775807)"),
          std::string(R"({"Type":"network","Action":"start","Actor":{"ID":"n"},"timeNano":1})"),
          std::string(R"({"Type":"container","Action":"start","Actor":"c1","timeNano":1})"),
          std::string(R"({"Type":["container"],"Action":"start","timeNano":1})"), std::string("{}"),
          std::string("[]")}) {
        CAPTURE(text);
        const auto line = decode_event(text);
        CHECK_FALSE(line.event);
        CHECK(line.complaint.empty());
    }
    CHECK(decode_event(event_json("start", "", std::string(256, 'a'))).event);
    CHECK_THROWS_AS(decode_event("{"), json::Malformed);
}

TEST_CASE("an error that the engine puts into the stream is taken for one") {
    CHECK(decode_event(R"({"message":"no space left"})").complaint == "no space left");
    CHECK(decode_event(R"({"error":"boom","errorDetail":{"message":"boom"}})").complaint == "boom");
    CHECK(decode_event(R"({"cause":"EOF","response":500})").complaint == "EOF");
    CHECK(decode_event(event_json("start", R"("message":"a label")")).complaint.empty());
}

TEST_CASE("Docker's list is of the living, those that restart left out") {
    const ContainerList list = decode_list(sample("list-all-20.10.json"));
    REQUIRE(list.containers.size() == 1);
    CHECK(list.skipped == 0);
    const Container& container = *list.containers.front();
    CHECK(container.id == web);
    CHECK(container.name == "web2");
    CHECK(container.image == "bb:1");
    CHECK(container.project == "shop");
    CHECK(container.pid == 0);
    CHECK_FALSE(container.paused);
    CHECK_FALSE(container.started);
    const ContainerList paused = decode_list(sample("list-paused-20.10.json"));
    REQUIRE(paused.containers.size() == 1);
    CHECK(paused.containers.front()->paused);
    CHECK(decode_list("[]").containers.empty());
}

TEST_CASE("odd entries in a list don't hide the others") {
    const ContainerList list = decode_list(
        R"([null,7,{},{"Id":""},{"Id":7},{"Id":"a","Names":null,"Labels":null,"State":7},)"
        R"({"Id":"b","Names":["/p/alias","/b"],"Labels":{"x":7,"y":"z"},"State":"odd"},{"Id":"c","Names":[7,"/p/q"]},)"
        R"({"Id":"d","State":"created"},{"Id":"e","State":"dead"},{"Id":"f","State":"removing"}])");
    CHECK(list.skipped == 5);
    REQUIRE(list.containers.size() == 3);
    CHECK(list.containers[0]->name.empty());
    CHECK(list.containers[1]->name == "b");
    CHECK(list.containers[1]->labels->entries() == std::vector<Labels::Entry>{{"y", "z"}});
    CHECK(list.containers[2]->name == "p/q");
    for (const char* text : {"{}", "null", "\"\"", "7"})
        CHECK_THROWS_AS(decode_list(text), json::Malformed);
}

TEST_CASE("an inspected container that runs has its pid and start") {
    const Inspection inspection = decode_inspection(sample("inspect-running-20.10.json"));
    CHECK(inspection.alive);
    CHECK_FALSE(inspection.exit_code);
    CHECK_FALSE(inspection.finished);
    const Container& container = *inspection.container;
    CHECK(container.id == web);
    CHECK(container.name == "web2");
    CHECK(container.pid == 28300);
    CHECK(container.image == "bb:1");
    CHECK(container.project == "shop");
    CHECK(container.labels->entries().size() == 3);
    REQUIRE(container.started);
    CHECK(to_decimal_seconds(*container.started) == "1795308682.145573742");
    CHECK_FALSE(container.paused);
    CHECK_FALSE(container.privileged);
    CHECK_FALSE(inspection.oom_killed);
}

TEST_CASE("an inspected container without a process tells how its run ended") {
    const Inspection exited = decode_inspection(sample("inspect-exited-20.10.json"));
    CHECK_FALSE(exited.alive);
    CHECK(exited.exit_code == 7);
    REQUIRE(exited.finished);
    CHECK(to_decimal_seconds(*exited.finished) == "1795308682.767286306");
    CHECK(exited.container->pid == 0);
    // Docker calls this one running; it waits for its next start.
    const Inspection restarting = decode_inspection(sample("inspect-restarting-20.10.json"));
    CHECK_FALSE(restarting.alive);
    CHECK(restarting.exit_code == 3);
    CHECK(restarting.finished);
    const Inspection created = decode_inspection(sample("inspect-created-20.10.json"));
    CHECK_FALSE(created.alive);
    CHECK_FALSE(created.exit_code);
    CHECK_FALSE(created.finished);
    CHECK_FALSE(created.container->started);
}

TEST_CASE("what is said of a container is read field by field") {
    const auto inspect = [](const std::string& state, const std::string& rest = "") {
        return decode_inspection(R"({"Id":"a","State":{)" + state + "}" + rest + "}");
    };
    const std::string started = R"("StartedAt":"2026-11-22T00:51:22Z",)";
    CHECK(inspect(R"("Running":true,"Pid":1,"Paused":true)").container->paused);
    CHECK_FALSE(inspect(R"("Running":false,"Pid":0,"Paused":true)").container->paused);
    for (const char* pid : {"0", "-1", "4294967296", "2147483648", "\"7\"", "1.5", "null"}) {
        CAPTURE(pid);
        CHECK_FALSE(inspect(R"("Running":true,"Pid":)" + std::string(pid)).alive);
    }
    CHECK(inspect(R"("Running":true,"Pid":2147483647)").alive);
    CHECK(inspect(started + R"("ExitCode":137,"OOMKilled":true)").oom_killed);
    CHECK(inspect(started + R"("ExitCode":4294967296)").exit_code == std::nullopt);
    CHECK(inspect("", R"(,"HostConfig":{"Privileged":true})").container->privileged);
    CHECK_FALSE(inspect("", R"(,"HostConfig":null,"Config":[],"Name":null)").container->privileged);
    CHECK_THROWS_AS(decode_inspection(R"({"Id":"a"})"), json::Malformed);
    CHECK_THROWS_AS(decode_inspection(R"({"State":{}})"), json::Malformed);
    CHECK_THROWS_AS(decode_inspection("[]"), json::Malformed);
}

TEST_CASE("what Docker says of itself is read, as far as it says it") {
    const EngineInfo info = decode_info(sample("info-20.10.json"));
    CHECK(info.id == "J4YJ:234M:OHVW:OOXF:QRKJ:YXGV:4RDO:52LU:77Q7:Q2A7:KBMA:BBHE");
    CHECK(info.version == "20.10.24+dfsg1");
    REQUIRE(info.time);
    CHECK(to_decimal_seconds(*info.time) == "1795308685.459510763");
    CHECK(decode_info("{}").id.empty());
    CHECK_FALSE(decode_info(R"({"SystemTime":"soon"})").time);
    CHECK_THROWS_AS(decode_info("[]"), json::Malformed);
}

TEST_CASE("hostile text arrives as valid UTF-8 and within the limits of labels") {
    const auto line =
        decode_event(event_json("start", "\"name\":\"a\\u0000b\xFF\",\"k\\u0000\":\"\\ud800\",\"big\":\"" +
                                             std::string(10'000'000, 'x') + "\""));
    REQUIRE(line.event);
    CHECK(line.event->container->name == "a\uFFFDb\uFFFD");
    CHECK(line.event->container->labels->entries() == std::vector<Labels::Entry>{{"k\uFFFD", "\uFFFD"}});
    CHECK(line.event->container->labels->truncated());
}

TEST_CASE("API versions are compared as numbers") {
    CHECK(ApiVersion::parse("1.41") == ApiVersion{1, 41});
    CHECK(ApiVersion{1, 9} < ApiVersion{1, 24});
    CHECK(ApiVersion{2, 0} > ApiVersion{1, 52});
    CHECK(ApiVersion{1, 41}.text() == "1.41");
    for (const char* text : {"", "1", "1.", ".1", "1.4.1", "v1.41", "1.41 ", "-1.2", "1.99999999999"}) {
        CAPTURE(text);
        CHECK_FALSE(ApiVersion::parse(text));
    }
}

TEST_CASE("an event counts as replayed only if container, type and time are those of a recent one") {
    RecentEvents recent;
    const auto event = [](const std::string& id, Type type, int time) {
        auto container = std::make_shared<Container>();
        container->id = id;
        return ContainerEvent{type, std::move(container), RealTime{std::chrono::nanoseconds(time)},
                              std::nullopt};
    };
    CHECK(recent.is_new(event("a", Type::started, 1)));
    CHECK_FALSE(recent.is_new(event("a", Type::started, 1)));
    CHECK(recent.is_new(event("b", Type::started, 1)));
    CHECK(recent.is_new(event("a", Type::exited, 1)));
    CHECK(recent.is_new(event("a", Type::started, 2)));
    // The last ones are remembered, as many as it says.
    for (int i = 0; i < static_cast<int>(RecentEvents::capacity) - 1; ++i) {
        REQUIRE(recent.is_new(event("c", Type::oom, i)));
    }
    CHECK_FALSE(recent.is_new(event("a", Type::started, 2)));
    CHECK(recent.is_new(event("a", Type::started, 1)));
    CHECK(recent.is_new(event("a", Type::started, 2)));
}
