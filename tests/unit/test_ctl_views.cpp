// shorewatchctl: what it shows of containers and engines, to people and to scripts.
#include <cstdint>
#include <string>
#include <vector>

#include <rapidjson/document.h>

#include "dbus/ctl/columns.h"
#include "dbus/ctl/json_out.h"
#include "dbus/ctl/properties.h"
#include "dbus/ctl/views.h"
#include "tests/unit/catch.h"
#include "tests/unit/ctl_samples.h"

using namespace shorewatch;
using namespace shorewatch::ctl;
using namespace shorewatch::testing;

TEST_CASE("properties of another version of the daemon are taken as far as they are known") {
    const ContainerInfo info = container_info("/p", {{"Name", sdbus::Variant(std::string("web"))},
                                                     {"PID", sdbus::Variant(std::string("no number"))},
                                                     {"New", sdbus::Variant(true)}});
    CHECK(info.name == "web");
    CHECK(info.pid == 0);
    CHECK(info.id.empty());
    CHECK(info.properties.count("New") == 1);
    CHECK(engine_name("/org/shorewatch1/engines/podman_2d1000") == "podman-1000");
    CHECK(engine_name("/elsewhere") == "/elsewhere");
}

TEST_CASE("the list of containers is sorted by engine, project and name") {
    const auto other_engine = sdbus::Variant(sdbus::ObjectPath("/org/shorewatch1/engines/alpha"));
    const std::string text = container_table(
        {container("b"), container("a", {{"Paused", sdbus::Variant(true)}}),
         container("z",
                   {{"Project", sdbus::Variant(std::string())}, {"PID", sdbus::Variant(std::uint32_t{0})}}),
         container("y", {{"Engine", other_engine}})},
        false, start + 90 * second, file);
    CHECK(text ==
          "NAME  ENGINE  PROJECT  IMAGE       PID  STATE    AGE    ID\n"
          "y     alpha   shop     busybox:1  4711  running  1m30s  aaaaaaaaaaaa\n"
          "z     docker  -        busybox:1     -  running  1m30s  aaaaaaaaaaaa\n"
          "a     docker  shop     busybox:1  4711  paused   1m30s  aaaaaaaaaaaa\n"
          "b     docker  shop     busybox:1  4711  running  1m30s  aaaaaaaaaaaa\n");
    CHECK(container_table({container("b")}, true, start, file).find(std::string(64, 'a')) !=
          std::string::npos);
    CHECK(container_table({}, false, start, file) == "NAME  ENGINE  PROJECT  IMAGE  PID  STATE  AGE  ID\n");
}

TEST_CASE("the list of engines tells what is wrong with one") {
    const std::string text =
        engine_table({engine("docker", "watching"), engine("other", "unavailable", "there is no socket")},
                     start + 5 * second, file);
    CHECK(text ==
          "NAME    TYPE        STATE        CONTAINERS  VERSION  API                      SINCE  ERROR\n"
          "docker  docker.com  watching              3  20.10    unix:///run/docker.sock  5s     -\n"
          "other   docker.com  unavailable           3  -        unix:///run/docker.sock  5s     there is no "
          "socket\n");
}

TEST_CASE("the tree shows engines, projects and containers, in ASCII where it must") {
    const std::vector<EngineInfo> engines{engine("docker", "watching"), engine("other", "lost", "gone")};
    const std::vector<ContainerInfo> containers{
        container("web"), container("db", {{"Paused", sdbus::Variant(true)}}),
        container("alone", {{"Project", sdbus::Variant(std::string())}})};
    CHECK(tree(engines, containers, file) ==
          "docker  watching  20.10\n"
          "├─ (no project)\n"
          "│  └─ alone  running  pid 4711\n"
          "└─ shop\n"
          "   ├─ db  paused  pid 4711\n"
          "   └─ web  running  pid 4711\n"
          "other  lost  gone\n");
    CHECK(tree(engines, containers, ascii_file) ==
          "docker  watching  20.10\n"
          "|- (no project)\n"
          "|  `- alone  running  pid 4711\n"
          "`- shop\n"
          "   |- db  paused  pid 4711\n"
          "   `- web  running  pid 4711\n"
          "other  lost  gone\n");
    CHECK(tree({}, {}, file).empty());
    for (const std::string& line : lines_of(tree(engines, containers, terminal(12))))
        CHECK(columns_of(line) <= 12);
}

TEST_CASE("the details of a container are complete, with what a later daemon may add") {
    const TimeZone zone("UTC0");
    const std::string text =
        container_details(container("web\x1b", {{"Privileged", sdbus::Variant(true)},
                                                {"LabelsTruncated", sdbus::Variant(true)},
                                                {"CgroupPath", sdbus::Variant(std::string("/docker/aa"))},
                                                {"Later", sdbus::Variant(std::string("x\x1b"))}}),
                          start + 10 * second, file);
    CHECK(text ==
          "Name:        web\\x1b\n"
          "Id:          " +
              std::string(64, 'a') +
              "\n"
              "Engine:      docker\n"
              "Project:     shop\n"
              "State:       running\n"
              "PID:         4711\n"
              "Image:       busybox:1\n"
              "Started:     2026-11-22 00:04:53.123 (10s ago)\n"
              "Privileged:  yes\n"
              "Namespace:   -\n"
              "Pod:         -\n"
              "Pod id:      -\n"
              "Sandbox:     -\n"
              "Unit:        -\n"
              "Cgroup:      /docker/aa\n"
              "Labels:      tier=web\n"
              "             (more labels were left out: they are too large)\n"
              "Object:      /org/shorewatch1/engines/docker/containers/web\\x1b\n"
              "Later:       \"x\\u001B\"\n");
}

TEST_CASE("JSON has all properties, of any text, in ASCII") {
    const std::string name = "a\"\\\n\x1b\u009bä漢😀";
    const std::string json = to_json(
        std::vector<ContainerInfo>{container(name, {{"New", sdbus::Variant(std::int64_t{-5})},
                                                    {"Odd", sdbus::Variant(std::vector<double>{1.5})}})});
    for (const char c : json)
        REQUIRE((c == '\n' || (c >= ' ' && c < '\x7f')));
    rapidjson::Document document;
    document.Parse(json.c_str());
    REQUIRE(document.IsArray());
    REQUIRE(document.Size() == 1);
    const auto& object = document[0];
    CHECK(std::string(object["Name"].GetString()) == "a\"\\\n\x1b\u009bä漢😀");
    CHECK(object["PID"].GetUint() == 4711);
    CHECK(object["StartedAt"].GetUint64() == start);
    CHECK_FALSE(object["Paused"].GetBool());
    CHECK(std::string(object["Labels"]["tier"].GetString()) == "web");
    CHECK(std::string(object["Engine"].GetString()) == "/org/shorewatch1/engines/docker");
    CHECK(object["New"].GetInt() == -5);
    CHECK(object["Odd"].IsNull());  // a type that is not known here
    CHECK(object.HasMember("Path"));
    CHECK(to_json(std::vector<ContainerInfo>{}) == "[]\n");
    CHECK(to_json(std::vector<EngineInfo>{}) == "[]\n");
}
