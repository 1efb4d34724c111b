// shorewatchctl watch: which events it shows, in which order, and how.
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <rapidjson/document.h>

#include "dbus/ctl/json_out.h"
#include "dbus/ctl/watch_event.h"
#include "dbus/ctl/watch_feed.h"
#include "tests/unit/catch.h"
#include "tests/unit/ctl_samples.h"

using namespace shorewatch;
using namespace shorewatch::ctl;
using namespace shorewatch::testing;

namespace {

using Kind = WatchEvent::Kind;

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
          "exit code 137 (SIGKILL), out of memory, ran 1m2s");
    const sdbus::Variant resync(std::string("resync"));
    CHECK(line(event(Kind::exited, "web", 2, at(start, {{"Cause", resync}}))) ==
          "00:04:53.123  exited    web                   docker/shop     exit code not known, cause resync");
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
