// shorewatchctl: what it writes for people and for scripts, and in which order.
#include <array>
#include <cstdlib>
#include <ctime>
#include <map>
#include <optional>
#include <sstream>
#include <string>
#include <vector>

#include <rapidjson/document.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "dbus/ctl/columns.h"
#include "dbus/ctl/exit_code.h"
#include "dbus/ctl/json_out.h"
#include "dbus/ctl/output.h"
#include "dbus/ctl/properties.h"
#include "dbus/ctl/table.h"
#include "dbus/ctl/terminal.h"
#include "dbus/ctl/time_format.h"
#include "dbus/ctl/views.h"
#include "dbus/ctl/watch_event.h"
#include "dbus/ctl/watch_feed.h"
#include "engines/support/event_loop.h"
#include "engines/support/unique_fd.h"
#include "tests/unit/catch.h"

using namespace shorewatch;
using namespace shorewatch::ctl;

namespace {

using Kind = WatchEvent::Kind;

constexpr std::uint64_t second = 1'000'000;
constexpr std::uint64_t start = 1'795'305'893 * second + 123'456;  // 2026-11-22 00:04:53.123456 UTC

const Style file{};  // as written to a file: nothing cut, no colours
const Style coloured_file{.colour = true, .unicode = true, .width = std::nullopt};
const Style ascii_file{.colour = false, .unicode = false, .width = std::nullopt};

Style terminal(std::size_t width, bool unicode = true) {
    return {.colour = false, .unicode = unicode, .width = width};
}

// Local time is what TZ says, for as long as this lives.
class TimeZone {
  public:
    explicit TimeZone(const char* zone) {
        if (const char* const before = std::getenv("TZ")) before_ = before;
        setenv("TZ", zone, 1);
        tzset();
    }
    ~TimeZone() {
        before_ ? setenv("TZ", before_->c_str(), 1) : unsetenv("TZ");
        tzset();
    }
    TimeZone(const TimeZone&) = delete;
    TimeZone& operator=(const TimeZone&) = delete;

  private:
    std::optional<std::string> before_;
};

std::vector<std::string> lines_of(const std::string& text) {
    std::vector<std::string> lines;
    std::istringstream stream(text);
    for (std::string line; std::getline(stream, line);)
        lines.push_back(line);
    return lines;
}

using Changes = std::map<std::string, sdbus::Variant>;

ContainerInfo container(const std::string& name, const Changes& changes = {}) {
    const std::string id(64, 'a');
    Properties properties{{"Id", sdbus::Variant(id)},
                          {"Name", sdbus::Variant(name)},
                          {"Engine", sdbus::Variant(sdbus::ObjectPath("/org/shorewatch1/engines/docker"))},
                          {"Project", sdbus::Variant(std::string("shop"))},
                          {"Labels", sdbus::Variant(std::map<std::string, std::string>{{"tier", "web"}})},
                          {"PID", sdbus::Variant(std::uint32_t{4711})},
                          {"Image", sdbus::Variant(std::string("busybox:1"))},
                          {"StartedAt", sdbus::Variant(start)},
                          {"Paused", sdbus::Variant(false)}};
    for (const auto& [key, value] : changes)
        properties.insert_or_assign(key, value);
    return container_info("/org/shorewatch1/engines/docker/containers/" + name, std::move(properties));
}

EngineInfo engine(const std::string& name, const std::string& state, const std::string& error = "") {
    return engine_info("/org/shorewatch1/engines/" + name,
                       {{"Name", sdbus::Variant(name)},
                        {"Type", sdbus::Variant(std::string("docker.com"))},
                        {"State", sdbus::Variant(state)},
                        {"Version", sdbus::Variant(std::string(error.empty() ? "20.10" : ""))},
                        {"Api", sdbus::Variant(std::string("unix:///run/docker.sock"))},
                        {"LastError", sdbus::Variant(error)},
                        {"ContainerTotal", sdbus::Variant(std::uint32_t{3})},
                        {"Since", sdbus::Variant(start)}});
}

WatchEvent event(Kind kind, const std::string& name, std::uint64_t sequence, Properties details = {}) {
    WatchEvent result;
    result.kind = kind;
    result.received = start + 500'000;
    result.engine = "docker";
    result.project = "shop";
    result.name = name;
    result.id = name + "-id";
    result.path = "/org/shorewatch1/engines/docker/containers/" + name;
    result.sequence = sequence;
    result.details = std::move(details);
    return result;
}

Properties at(std::uint64_t time, Properties more = {}) {
    more.emplace("Timestamp", sdbus::Variant(time));
    return more;
}

// What a feed has shown, as "started web 7".
class Shown {
  public:
    WatchFeed::Show show() {
        return [this](const WatchEvent& one) {
            events.push_back(one);
            const std::string json = to_json(one);
            rapidjson::Document document;
            document.Parse(json.c_str());
            std::string text = document["event"].GetString();
            if (!one.name.empty()) text += " " + one.name;
            if (one.sequence != 0) text += " " + std::to_string(one.sequence);
            texts.push_back(text);
        };
    }

    std::vector<WatchEvent> events;
    std::vector<std::string> texts;
};

using Texts = std::vector<std::string>;

}  // namespace

TEST_CASE("text is measured in the columns that it takes on a terminal") {
    CHECK(columns_of("") == 0);
    CHECK(columns_of("plain") == 5);
    CHECK(columns_of("ä") == 1);
    CHECK(columns_of("漢字") == 4);
    CHECK(columns_of("e\u0301") == 1);  // a combining accent
    CHECK(columns_of("😀") == 2);
    CHECK(columns_of("\xFF\xFE") == 2);
}

TEST_CASE("text is cut between characters, and an ellipsis says so") {
    CHECK(cut_to("plain", 5, true) == "plain");
    CHECK(cut_to("plain", 4, true) == "pla…");
    CHECK(cut_to("plain", 4, false) == "p...");
    CHECK(cut_to("漢字漢字", 8, true) == "漢字漢字");
    CHECK(cut_to("漢字漢字", 7, true) == "漢字漢…");
    CHECK(cut_to("漢字漢字", 6, true) == "漢字…");  // the third would need a column too many
    CHECK(cut_to("plain", 1, true) == "…");
    CHECK(cut_to("plain", 2, false) == "..");
    CHECK(cut_to("plain", 0, true).empty());
}

TEST_CASE("a table is aligned by columns, whatever its characters are made of") {
    Table table({{"NAME", true}, {"PID", false, true}, {"STATE"}});
    table.add_row({{"web"}, {"7"}, {"running"}});
    table.add_row({{"漢字-db"}, {"4711"}, {"paused"}});
    CHECK(table.render(file) ==
          "NAME      PID  STATE\n"
          "web         7  running\n"
          "漢字-db  4711  paused\n");
}

TEST_CASE("an empty table is its heading, and missing cells are empty") {
    Table table({{"NAME", true}, {"PID", false, true}});
    CHECK(table.render(file) == "NAME  PID\n");
    table.add_row({{"web"}});
    CHECK(table.render(file) == "NAME  PID\nweb\n");
}

TEST_CASE("no line of a table is wider than the terminal, however narrow") {
    Table table({{"NAME", true}, {"IMAGE", true}, {"PID", false, true}, {"STATE"}});
    table.add_row(
        {{"a-rather-long-name-漢字漢字"}, {"registry.example.com/a/long/image:tag"}, {"4711"}, {"running"}});
    table.add_row({{"web"}, {"nginx"}, {"1"}, {"paused"}});
    for (std::size_t width = 1; width <= 100; ++width) {
        CAPTURE(width);
        for (const bool unicode : {true, false}) {
            for (const std::string& line : lines_of(table.render(terminal(width, unicode)))) {
                CAPTURE(line);
                CHECK(columns_of(line) <= width);
            }
        }
    }
}

TEST_CASE("a narrow table loses the ends of its widest columns first, and columns on the right last") {
    Table table({{"NAME", true}, {"IMAGE", true}, {"PID", false, true}, {"STATE"}});
    table.add_row({{"web-frontend"}, {"registry.example.com/nginx"}, {"4711"}, {"running"}});
    CHECK(lines_of(table.render(terminal(45)))[1] == "web-frontend  registry.exampl…  4711  running");
    CHECK(lines_of(table.render(terminal(31)))[1] == "web-fro…  registr…  4711  runn…");
    CHECK(lines_of(table.render(terminal(10)))[1] == "web-fro…");
    CHECK(lines_of(table.render(file))[1] == "web-frontend  registry.example.com/nginx  4711  running");
}

TEST_CASE("one name of a megabyte does not make every line of a table that long") {
    Table table({{"NAME", true}, {"STATE"}});
    table.add_row({{std::string(1'000'000, 'x')}, {"running"}});
    for (int i = 0; i < 100; ++i)
        table.add_row({{"web"}, {"running"}});
    CHECK(table.render(file).size() < 1'020'000);
    CHECK(table.render(file).find(std::string(1'000'000, 'x')) != std::string::npos);
    CHECK(lines_of(table.render(terminal(80)))[1].size() < 90);
}

TEST_CASE("hostile text stays in its cell") {
    Table table({{"NAME", true}, {"STATE"}});
    table.add_row({{"a\x1b[2J\nb"}, {"running"}});
    CHECK(table.render(file) ==
          "NAME         STATE\n"
          "a\\x1b[2J\\nb  running\n");
}

TEST_CASE("a locale without UTF-8 gets ASCII alone") {
    CHECK(shown("ä漢😀", ascii_file) == "\\u{00e4}\\u{6f22}\\u{1f600}");
    CHECK(shown("ä漢😀", file) == "ä漢😀");
    CHECK(shown("a\x1b", ascii_file) == "a\\x1b");
}

TEST_CASE("colour goes around the text, and only where it is wanted") {
    CHECK(coloured("x", Tone::good, file) == "x");
    CHECK(coloured("x", Tone::good, coloured_file) == "\x1b[32mx\x1b[0m");
    CHECK(coloured("x", Tone::plain, coloured_file) == "x");
    Table table({{"NAME", true}, {"STATE"}});
    table.add_row({{"web"}, {"running", Tone::good}});
    const std::string text = table.render({.colour = true, .unicode = true, .width = 80});
    CHECK(text.find("web   \x1b[32mrunning\x1b[0m\n") != std::string::npos);
}

TEST_CASE("times are local, and no time is a dash") {
    const TimeZone zone("EET-2");
    CHECK(local_time(start) == "02:04:53.123");
    CHECK(local_date_time(start) == "2026-11-22 02:04:53.123");
    CHECK(local_time(0) == "-");
    CHECK(local_date_time(0) == "-");
    CHECK_FALSE(local_date_time(UINT64_MAX).empty());
}

TEST_CASE("durations have two units, and short runs their milliseconds") {
    CHECK(rough_duration(0) == "0s");
    CHECK(rough_duration(59 * second + 999'999) == "59s");
    CHECK(rough_duration(312 * second) == "5m12s");
    CHECK(rough_duration(12'000 * second) == "3h20m");
    CHECK(rough_duration(187'200 * second) == "2d4h");
    CHECK(rough_duration(200 * 86'400 * second) == "200d");
    CHECK(fine_duration(42'000) == "0.042s");
    CHECK(fine_duration(9'999'999) == "9.999s");
    CHECK(fine_duration(10 * second) == "10s");
    CHECK(age(start, start + 42 * second) == "42s");
    CHECK(age(start, start - second) == "0s");
    CHECK(age(0, start) == "-");
}

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
                                                {"CgroupPath", sdbus::Variant(std::string("/docker/aa"))}}),
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
              "Labels:      tier=web\n"
              "             (more labels were left out: they are too large)\n"
              "Object:      /org/shorewatch1/engines/docker/containers/web\\x1b\n"
              "CgroupPath:  \"/docker/aa\"\n");
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

TEST_CASE("an event is one line of JSON with all that the signal said") {
    WatchEvent exited =
        event(Kind::exited, "web\n", 7, at(start, {{"ExitCode", sdbus::Variant(std::int32_t{137})}}));
    exited.ran = 1234;
    const std::string json = to_json(exited);
    CHECK(json.find('\n') == std::string::npos);
    CHECK(
        json ==
        R"({"event":"exited","received":1795305893623456,"engine":"docker","project":"shop","name":"web\n",)"
        R"("id":"web\n-id","path":"/org/shorewatch1/engines/docker/containers/web\n","sequence":7,)"
        R"("details":{"ExitCode":137,"Timestamp":1795305893123456},"ran":1234})");
    WatchEvent lost =
        event(Kind::engine_state, "", 8, {{"OldState", sdbus::Variant(std::string("watching"))}});
    lost.state = "lost";
    lost.path = "/org/shorewatch1/engines/docker";
    CHECK(to_json(lost) ==
          R"({"event":"engine-state","received":1795305893623456,"engine":"docker","state":"lost",)"
          R"("path":"/org/shorewatch1/engines/docker","sequence":8,"details":{"OldState":"watching"}})");
}

TEST_CASE("an event is one line of text with what a person wants to know") {
    const TimeZone zone("UTC0");
    const auto line = [](const WatchEvent& one) { return event_text(one, terminal(80)); };
    const sdbus::Variant kernel(std::string("kernel"));
    CHECK(line(event(Kind::started, "web", 1,
                     at(start, {{"PID", sdbus::Variant(std::uint32_t{7})},
                                {"Image", sdbus::Variant(std::string("busybox:1"))},
                                {"Cause", sdbus::Variant(std::string("event"))}}))) ==
          "00:04:53.123  started   web                   docker/shop     pid 7, busybox:1");
    WatchEvent exited = event(Kind::exited, "web", 2,
                              at(start, {{"ExitCode", sdbus::Variant(std::int32_t{137})},
                                         {"OOMKilled", sdbus::Variant(true)},
                                         {"Cause", kernel}}));
    exited.ran = 62 * second;
    CHECK(line(exited) ==
          "00:04:53.123  exited    web                   docker/shop     "
          "exit code 137 (SIGKILL), out of memory, ran 1m2s, cause kernel");
    CHECK(line(event(Kind::exited, "web", 2)) ==
          "00:04:53.623  exited    web                   docker/shop     exit code not known");
    CHECK(line(event(Kind::paused, "web", 3)) == "00:04:53.623  paused    web                   docker/shop");
    CHECK(line(event(Kind::unpaused, "web", 3)) ==
          "00:04:53.623  unpaused  web                   docker/shop");
    CHECK(line(event(Kind::renamed, "web2", 4, {{"OldName", sdbus::Variant(std::string("web"))}})) ==
          "00:04:53.623  renamed   web2                  docker/shop     was web");
    WatchEvent lost = event(Kind::engine_state, "", 5,
                            {{"OldState", sdbus::Variant(std::string("watching"))},
                             {"LastError", sdbus::Variant(std::string("it\nhung up"))}});
    lost.state = "lost";
    CHECK(line(lost) ==
          "00:04:53.623  engine    docker                                lost (was watching), it\\nhung up");
    WatchEvent alone = event(Kind::started, "", 6);
    alone.project.clear();
    alone.id = "abc";
    CHECK(line(alone) == "00:04:53.623  started   abc                   docker");
    CHECK(event_text(alone, file) == "2026-11-22 00:04:53.623  started   abc                   docker");
}

TEST_CASE("what was there comes first, then each signal after the list: no gap, no repeat") {
    Shown shown;
    WatchFeed feed({}, true, shown.show());
    feed.daemon_up(start);
    feed.signal(event(Kind::started, "included", 4));
    feed.signal(event(Kind::paused, "web", 5));
    feed.signal(event(Kind::unpaused, "web", 6));
    CHECK(shown.texts.empty());
    feed.listed(5, {container("web"), container("included")}, start);
    feed.signal(event(Kind::exited, "web", 7));
    CHECK(shown.texts ==
          Texts{"present included 5", "present web 5", "synchronized 5", "unpaused web 6", "exited web 7"});
}

TEST_CASE("without --since-sync each signal is shown, before the list or after") {
    Shown shown;
    WatchFeed feed({}, false, shown.show());
    feed.daemon_up(start);
    feed.signal(event(Kind::paused, "web", 5));
    feed.listed(5, {container("web")}, start);
    feed.signal(event(Kind::exited, "web", 6));
    CHECK(shown.texts == Texts{"paused web 5", "exited web 6"});

    feed.daemon_down(start);
    feed.daemon_up(start);
    feed.signal(event(Kind::started, "db", 7));
    feed.daemon_down(start);
    CHECK(shown.texts ==
          Texts{"paused web 5", "exited web 6", "daemon-down", "daemon-up", "started db 7", "daemon-down"});
}

TEST_CASE(
    "a daemon that comes back is listed again, and its signals are not taken for those of the one before") {
    Shown shown;
    WatchFeed feed({}, true, shown.show());
    feed.daemon_awaited("it is not running", start);
    feed.daemon_up(start);
    feed.listed(50, {container("web")}, start);
    feed.daemon_down(start);
    feed.daemon_up(start);
    feed.signal(event(Kind::exited, "early", 1));
    feed.listed(1, {container("web")}, start);
    feed.signal(event(Kind::exited, "web", 2));
    CHECK(shown.texts == Texts{"daemon-awaited", "daemon-up", "present web 50", "synchronized 50",
                               "daemon-down", "daemon-up", "present web 1", "synchronized 1",
                               "exited web 2"});
}

TEST_CASE("an exit tells how long the run was, where both its ends are known") {
    Shown shown;
    WatchFeed feed({}, false, shown.show());
    feed.daemon_up(start);
    feed.listed(1, {container("web")}, start);
    feed.signal(event(Kind::exited, "web", 2, at(start + 3 * second)));
    CHECK(shown.events.back().ran == 3 * second);
    feed.signal(event(Kind::started, "web", 3, at(start + 4 * second)));
    feed.signal(event(Kind::exited, "web", 4, at(start + 5 * second)));
    CHECK(shown.events.back().ran == second);
    feed.signal(event(Kind::exited, "never-seen", 5, at(start)));
    CHECK_FALSE(shown.events.back().ran);
    feed.signal(event(Kind::started, "web", 6));  // no time
    feed.signal(event(Kind::exited, "web", 7, at(start + 6 * second)));
    CHECK_FALSE(shown.events.back().ran);
    feed.signal(event(Kind::started, "web", 8, at(start + 9 * second)));
    feed.signal(event(Kind::exited, "web", 9, at(start + 8 * second)));  // the clock was set back
    CHECK_FALSE(shown.events.back().ran);
}

TEST_CASE("filters let pass what was asked for, a rename by both names, and the state of the engine") {
    Shown shown;
    WatchFeed feed({.engine = "docker", .project = "shop", .name = "web"}, true, shown.show());
    feed.daemon_up(start);
    feed.listed(1, {container("web"), container("db")}, start);
    feed.signal(event(Kind::started, "db", 2));
    WatchEvent elsewhere = event(Kind::started, "web", 3);
    elsewhere.engine = "other";
    feed.signal(elsewhere);
    WatchEvent no_project = event(Kind::started, "web", 4);
    no_project.project.clear();
    feed.signal(no_project);
    feed.signal(event(Kind::renamed, "web2", 5, {{"OldName", sdbus::Variant(std::string("web"))}}));
    feed.signal(event(Kind::renamed, "web", 6, {{"OldName", sdbus::Variant(std::string("web3"))}}));
    feed.signal(event(Kind::engine_state, "", 7));
    WatchEvent other_engine = event(Kind::engine_state, "", 8);
    other_engine.engine = "other";
    feed.signal(other_engine);
    CHECK(shown.texts ==
          Texts{"present web 1", "synchronized 1", "renamed web2 5", "renamed web 6", "engine-state 7"});
    CHECK(shown.events[1].containers == 1);
}

TEST_CASE("the zero project can be filtered for") {
    Shown shown;
    WatchFeed feed({.engine = std::nullopt, .project = "", .name = std::nullopt}, true, shown.show());
    feed.daemon_up(start);
    feed.listed(1, {container("web"), container("alone", {{"Project", sdbus::Variant(std::string())}})},
                start);
    CHECK(shown.texts == Texts{"present alone 1", "synchronized 1"});
}

TEST_CASE("errors of the bus have an exit code, and say what to do") {
    const auto error = [](const char* name, BusKind bus = BusKind::system, Right right = Right::read) {
        return command_error("list the containers", name, "said\nso", bus, right);
    };
    CHECK(error("org.shorewatch1.Error.NoSuchContainer").code() == ExitCode::not_found);
    CHECK(error("org.shorewatch1.Error.NoSuchProject").code() == ExitCode::not_found);
    CHECK(error("org.shorewatch1.Error.Ambiguous").code() == ExitCode::ambiguous);
    CHECK(error("org.shorewatch1.Error.InvalidConfiguration").code() == ExitCode::refused);
    CHECK(error("org.freedesktop.DBus.Error.InvalidArgs").code() == ExitCode::refused);
    CHECK(error("org.freedesktop.DBus.Error.AccessDenied").code() == ExitCode::access_denied);
    CHECK(error("org.freedesktop.DBus.Error.ServiceUnknown").code() == ExitCode::unreachable);
    CHECK(error("org.freedesktop.DBus.Error.Spawn.ChildExited").code() == ExitCode::unreachable);
    CHECK(error("org.freedesktop.DBus.Error.NoReply").code() == ExitCode::unreachable);
    CHECK(error("System.Error.ECONNRESET").code() == ExitCode::unreachable);
    CHECK(error("org.example.Whatever").code() == ExitCode::refused);

    CHECK(std::string(error("org.shorewatch1.Error.Ambiguous").what()) ==
          "cannot list the containers: said\\nso");
    CHECK(std::string(error("org.freedesktop.DBus.Error.AccessDenied").what()) ==
          "cannot list the containers: access denied (said\\nso); join the group shorewatch or be root");
    CHECK(std::string(
              error("org.freedesktop.DBus.Error.AccessDenied", BusKind::system, Right::control).what()) ==
          "cannot list the containers: access denied (said\\nso); be root");
    CHECK(std::string(error("org.freedesktop.DBus.Error.ServiceUnknown", BusKind::user).what()) ==
          "cannot list the containers: the daemon is not running; start it: systemctl --user start "
          "shorewatchd");
    CHECK(connect_error("System.Error.ENOENT", "no socket", BusKind::system, "").code() ==
          ExitCode::unreachable);
    CHECK(connect_error("org.freedesktop.DBus.Error.AccessDenied", "", BusKind::system, "").code() ==
          ExitCode::access_denied);
    CHECK(std::string(connect_error("System.Error.ECONNRESET", "reset", BusKind::remote, "me@there").what())
              .find("ssh me@there systemd-stdio-bridge") != std::string::npos);
}

TEST_CASE("lines for a slow reader wait, in order, without holding up the loop") {
    std::array<int, 2> ends{};
    REQUIRE(pipe(ends.data()) == 0);
    const UniqueFd reader(ends[0]);
    const UniqueFd writer(ends[1]);
    EventLoop loop;
    LineOutput output(loop, writer.get(), [](const auto&) { FAIL("the output has not ended"); });
    std::string expected;
    for (int i = 0; i < 50'000; ++i) {  // several times what a pipe holds
        const std::string line = "line " + std::to_string(i);
        output.write(line);
        expected += line + "\n";
    }
    std::string received;
    const EventSource reading = loop.on_io(reader.get(), EPOLLIN, [&](std::uint32_t) {
        std::array<char, 16384> piece{};
        const ssize_t count = read(reader.get(), piece.data(), piece.size());
        REQUIRE(count > 0);
        received.append(piece.data(), static_cast<std::size_t>(count));
        if (received.size() >= expected.size()) loop.stop();
    });
    loop.run();
    CHECK(received == expected);
}

TEST_CASE("an output whose reader has gone ends without an error, though nothing is written") {
    std::array<int, 2> ends{};
    REQUIRE(pipe(ends.data()) == 0);
    UniqueFd reader(ends[0]);
    const UniqueFd writer(ends[1]);
    EventLoop loop;
    int ended = 0;
    LineOutput output(loop, writer.get(), [&](const std::optional<CommandError>& error) {
        CHECK_FALSE(error);
        ++ended;
        loop.stop();
    });
    reader.reset();
    loop.run();
    output.write("more");
    CHECK(ended == 1);
}

TEST_CASE("an output that nobody reads ends with an error before it takes all memory") {
    std::array<int, 2> ends{};
    REQUIRE(pipe(ends.data()) == 0);
    const UniqueFd reader(ends[0]);
    const UniqueFd writer(ends[1]);
    EventLoop loop;
    std::optional<CommandError> error;
    LineOutput output(loop, writer.get(), [&](std::optional<CommandError> why) { error = std::move(why); });
    const std::string line(1U << 20U, 'x');
    for (std::size_t i = 0; i < LineOutput::most_waiting >> 20U; ++i)
        output.write(line);
    CHECK_FALSE(error);
    output.write(line);
    REQUIRE(error);
    CHECK(error->code() == ExitCode::refused);
}
