// shorewatchctl top: what it knows, what keys do, and what it shows, without a terminal.
#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "dbus/ctl/columns.h"
#include "dbus/ctl/top/controls.h"
#include "dbus/ctl/top/model.h"
#include "dbus/ctl/top/rows.h"
#include "dbus/ctl/top/view.h"
#include "tests/unit/catch.h"
#include "tests/unit/ctl_samples.h"

using namespace shorewatch;
using namespace shorewatch::ctl;
using namespace shorewatch::testing;

namespace {

using Kind = WatchEvent::Kind;
using Code = TopKey::Code;
using What = TopAction::What;
using Mode = TopState::Mode;
using Texts = std::vector<std::string>;

std::string path_of(const std::string& name) {
    return "/org/shorewatch1/engines/docker/containers/" + name;
}

WatchEvent event(Kind kind, const std::string& name, const std::string& project = "shop",
                 Properties details = {}) {
    WatchEvent result;
    result.kind = kind;
    result.received = start;
    result.engine = "docker";
    result.project = project;
    result.name = name;
    result.id = std::string(60, 'a') + name;
    result.path = path_of(name);
    result.details = std::move(details);
    return result;
}

WatchEvent daemon_event(Kind kind) {
    WatchEvent result;
    result.kind = kind;
    result.received = start;
    return result;
}

Properties process(std::uint32_t pid) {
    return {{"PID", sdbus::Variant(pid)},
            {"Image", sdbus::Variant(std::string("busybox"))},
            {"Timestamp", sdbus::Variant(start)}};
}

// docker with shop/web, shop/db and one without a project, and other, which is lost.
TopModel sample() {
    TopModel model;
    WatchEvent web = event(Kind::present, "web");
    web.details = {{"PID", sdbus::Variant(std::uint32_t{11})}, {"StartedAt", sdbus::Variant(start)}};
    model.apply(web);
    WatchEvent db = event(Kind::present, "db");
    db.details = {{"PID", sdbus::Variant(std::uint32_t{12})}, {"Paused", sdbus::Variant(true)}};
    model.apply(db);
    model.apply(event(Kind::present, "alone", ""));
    model.apply(daemon_event(Kind::synchronized));
    model.set_engines({engine("docker", "watching"), engine("other", "lost", "it hung up")});
    return model;
}

Texts names(const TopModel& model, const std::string& filter = "") {
    Texts texts;
    for (const TopRow& row : top_rows(model, filter)) {
        if (row.container != nullptr) {
            texts.push_back(row.container->name);
        } else {
            texts.push_back(row.subject.project ? "[" + *row.subject.project + "]" : row.subject.engine);
        }
    }
    return texts;
}

Texts shown_of(const TopModel& model, const TopState& state, TopSize size = {24, 80}, bool unicode = true,
               const std::map<std::string, TopUsage>& usage = {}) {
    Texts lines;
    for (const TopLine& line :
         top_lines({model, state, usage, "system bus", start + 90 * second, unicode}, size)) {
        std::string text;
        for (const TopCell& cell : line)
            text += cell.text;
        CHECK(columns_of(text) <= size.columns);
        text.erase(text.find_last_not_of(' ') + 1);
        lines.push_back(std::move(text));
    }
    CHECK(lines.size() == size.rows);
    return lines;
}

TopKey typed(const std::string& text) {
    return {Code::character, text};
}

// Keys one after another; the last one's action.
class Keys {
  public:
    explicit Keys(const TopModel& model) : model_(model) {}

    Keys& press(const TopKey& key, std::size_t page = 10) {
        TopReaction reaction = react(state, key, model_, page);
        state = std::move(reaction.state);
        action = std::move(reaction.action);
        return *this;
    }
    Keys& type(const std::string& text) {
        for (const char c : text)
            press(typed(std::string(1, c)));
        return *this;
    }

    TopState state;
    std::optional<TopAction> action;

  private:
    const TopModel& model_;
};

bool has(const Texts& lines, const std::string& text) {
    for (const std::string& line : lines) {
        if (line.find(text) != std::string::npos) return true;
    }
    return false;
}

}  // namespace

TEST_CASE("top knows what is alive from the list and the signals after it") {
    TopModel model = sample();
    CHECK(model.link() == TopModel::Link::live);
    CHECK(names(model) == Texts{"docker", "[]", "alone", "[shop]", "db", "web", "other"});
    model.apply(event(Kind::started, "cache", "shop", process(13)));
    REQUIRE(model.find(path_of("cache")) != nullptr);
    CHECK(model.find(path_of("cache"))->pid == 13);
    CHECK(model.find(path_of("cache"))->started_at == start);
    model.apply(event(Kind::paused, "cache"));
    CHECK(model.find(path_of("cache"))->paused);
    model.apply(event(Kind::unpaused, "cache"));
    CHECK_FALSE(model.find(path_of("cache"))->paused);
    WatchEvent renamed = event(Kind::renamed, "memo");
    renamed.path = path_of("cache");
    model.apply(renamed);
    CHECK(model.find(path_of("cache"))->name == "memo");
    model.apply(event(Kind::exited, "web"));
    model.apply(event(Kind::exited, "never-seen"));
    CHECK(names(model) == Texts{"docker", "[]", "alone", "[shop]", "db", "memo", "other"});
    CHECK(model.events().size() == 6);
}

TEST_CASE("a daemon that comes back says anew what is alive, and until then the old is shown") {
    TopModel model = sample();
    model.apply(daemon_event(Kind::daemon_down));
    CHECK(model.link() == TopModel::Link::down);
    CHECK(model.container_total() == 3);
    model.apply(daemon_event(Kind::daemon_up));
    model.apply(event(Kind::present, "new"));
    CHECK(model.container_total() == 3);
    model.apply(daemon_event(Kind::synchronized));
    CHECK(names(model) == Texts{"docker", "[shop]", "new", "other"});
    model.bus_lost("it broke");
    CHECK(has(shown_of(model, {}), "the bus is gone, trying again"));
}

TEST_CASE("containers of an engine that was removed are forgotten, as nobody tells of their ends") {
    TopModel model = sample();
    model.set_engines({engine("other", "watching")});
    CHECK(names(model) == Texts{"other"});
    WatchEvent added = event(Kind::engine_state, "");
    added.engine = "podman";
    added.state = "connecting";
    model.apply(added);
    CHECK(names(model) == Texts{"other", "podman"});
}

TEST_CASE("only so many events are kept") {
    TopModel model = sample();
    for (std::size_t i = 0; i < TopModel::most_events + 10; ++i)
        model.apply(event(i % 2 == 0 ? Kind::paused : Kind::unpaused, "web"));
    CHECK(model.events().size() == TopModel::most_events);
}

TEST_CASE("the filter looks at names, places, images and the beginning of ids, whatever the case") {
    TopModel model = sample();
    model.apply(event(Kind::started, "cache", "tools", process(13)));
    CHECK(names(model, "WEB") == Texts{"docker", "[shop]", "web"});
    CHECK(names(model, "docker/shop") == Texts{"docker", "[shop]", "db", "web"});
    CHECK(names(model, "busy") == Texts{"docker", "[tools]", "cache"});
    CHECK(names(model, "aaaa").size() == 8);
    CHECK(names(model, "oth") == Texts{"other"});
    CHECK(names(model, "nothing of that name").empty());
    CHECK(passes(event(Kind::started, "web"), "shop/w"));
    CHECK_FALSE(passes(event(Kind::started, "web"), "db"));
    CHECK(passes(daemon_event(Kind::daemon_down), "db"));
}

TEST_CASE("top in 80 columns has a line for each engine, project and container, and the events below") {
    const TimeZone utc("UTC");
    TopModel model = sample();
    model.apply(event(Kind::started, "cache", "shop", process(13)));
    const std::map<std::string, TopUsage> usage{{path_of("web"), {12.34, 5U * 1024U * 1024U}}};
    TopState state;
    state.selected = {"docker", "shop", path_of("web")};
    const Texts lines = shown_of(model, state, {24, 80}, true, usage);
    CHECK(lines[0] == "shorewatch  system bus  2 engines, 4 containers (1 paused)");
    CHECK(lines[1] == "NAME                                   STATE         PID  UPTIME  CPU %   MEMORY");
    CHECK(lines[2] == "docker                                 watching  20.10");
    CHECK(lines[3] == "├─ (no project)");
    CHECK(lines[4] == "│  └─ alone                            running         -       -      -        -");
    CHECK(lines[5] == "└─ shop");
    CHECK(lines[6] == "   ├─ cache                            running        13   1m30s      -        -");
    CHECK(lines[7] == "   ├─ db                               paused         12       -      -        -");
    CHECK(lines[8] == "   └─ web                              running        11   1m30s   12.3 5.00 MiB");
    CHECK(lines[9] == "other                                  lost  it hung up");
    CHECK(lines[16] == "EVENTS");
    CHECK(lines[17] == "00:04:53.123  started   cache                 docker/shop     pid 13, busybox");
    CHECK(lines[23] == "q quit  ? help  j/k move  / filter  f follow  p pause  s stop");
    const auto cells = top_lines({model, state, usage, "system bus", start, true}, {24, 80});
    CHECK(cells[8].front().reversed);
    CHECK_FALSE(cells[7].front().reversed);
}

TEST_CASE("without UTF-8 the tree is of ASCII, and so are names") {
    TopModel model = sample();
    model.apply(event(Kind::started, "漢\x1b[2J", "shop", process(13)));
    const Texts lines = shown_of(model, {}, {24, 80}, false);
    CHECK(lines[3] == "|- (no project)");
    CHECK(lines[5] == "`- shop");
    CHECK(has(lines, "\\u{6f22}\\x1b[2J"));
    for (const std::string& line : lines) {
        for (const char c : line)
            REQUIRE((c >= ' ' && c < '\x7f'));
    }
}

TEST_CASE("hostile names are harmless, and cut by their columns") {
    TopModel model = sample();
    std::string wide;
    for (int i = 0; i < 100; ++i)
        wide += "漢";
    model.apply(event(Kind::started, wide, "a\nb\x1b", process(13)));
    const Texts lines = shown_of(model, {});
    CHECK(has(lines, "a\\nb\\x1b"));
    CHECK(has(lines, "漢…  running"));
    for (const std::string& line : lines) {
        for (const char c : line)
            REQUIRE((static_cast<unsigned char>(c) >= ' ' && c != '\x7f'));
    }
}

TEST_CASE("a screen of any size is filled and not overrun") {
    TopModel model = sample();
    for (int i = 0; i < 50; ++i)
        model.apply(event(Kind::started, "c" + std::to_string(i), "many", process(100)));
    for (const Mode mode : {Mode::browse, Mode::filter, Mode::confirm_stop, Mode::help}) {
        for (std::size_t rows = 1; rows < 40; rows += 3) {
            for (const std::size_t columns : {1U, 2U, 10U, 20U, 40U, 60U, 80U, 200U}) {
                TopState state;
                state.mode = mode;
                state.followed = TopSubject{"docker", "shop", path_of("web")};
                state =
                    settled(std::move(state), top_rows(model, ""), top_layout({rows, columns}, state).tree);
                shown_of(model, state, {rows, columns});
            }
        }
    }
    CHECK(has(shown_of(model, {}, {12, 30}), "STATE"));
    CHECK_FALSE(has(shown_of(model, {}, {12, 30}), "MEMORY"));
}

TEST_CASE("keys move the selection, and the tree with it") {
    TopModel model = sample();
    Keys keys(model);
    keys.press({Code::other, {}});
    CHECK(keys.state.selected == TopSubject{"docker", std::nullopt, {}});
    keys.type("jj");
    CHECK(keys.state.selected.container == path_of("alone"));
    keys.type("k").press({Code::up, {}}).press({Code::up, {}});
    CHECK(keys.state.index == 0);
    keys.press({Code::end, {}}, 3);
    CHECK(keys.state.selected.engine == "other");
    CHECK(keys.state.first == 4);
    keys.press({Code::page_up, {}}, 3);
    CHECK(keys.state.index == 3);
    CHECK(keys.state.first == 3);
    keys.press({Code::home, {}}, 3).press({Code::page_down, {}}, 3).press({Code::down, {}}, 3);
    CHECK(keys.state.index == 4);
    CHECK(keys.state.first == 2);
    keys.type("gG");
    CHECK(keys.state.index == 6);
    CHECK(keys.type("q").action->what == What::quit);
}

TEST_CASE("the selection stays with its container, and at its place when that is over") {
    TopModel model = sample();
    Keys keys(model);
    keys.type("jjjj");
    REQUIRE(keys.state.selected.container == path_of("db"));
    model.apply(event(Kind::started, "alpha", "shop", process(14)));
    TopState state = settled(keys.state, top_rows(model, ""), 10);
    CHECK(state.selected.container == path_of("db"));
    CHECK(state.index == 5);
    model.apply(event(Kind::exited, "db"));
    state = settled(state, top_rows(model, ""), 10);
    CHECK(state.selected.container == path_of("web"));
    CHECK(settled(state, {}, 10).first == 0);
}

TEST_CASE("p pauses or unpauses, s stops once it was said again, and neither does that to a project") {
    const TopModel model = sample();
    Keys keys(model);
    keys.type("jp");
    CHECK_FALSE(keys.action);
    CHECK(keys.state.status.find("select a container") == 0);
    keys.type("s");
    CHECK(keys.state.mode == Mode::browse);
    keys.type("jjjp");
    REQUIRE(keys.action);
    CHECK(keys.action->what == What::unpause);
    CHECK(keys.action->path == path_of("db"));
    keys.type("jp");
    CHECK(keys.action->what == What::pause);
    keys.type("s");
    CHECK_FALSE(keys.action);
    CHECK(shown_of(model, keys.state).back() == "stop web? y/n");
    keys.type("n");
    CHECK_FALSE(keys.action);
    CHECK(keys.state.mode == Mode::browse);
    keys.type("sy");
    REQUIRE(keys.action);
    CHECK(keys.action->what == What::stop);
    CHECK(keys.action->name == "web");
}

TEST_CASE("a filter is typed, kept with Enter, and dropped with Escape") {
    const TopModel model = sample();
    Keys keys(model);
    keys.type("/wexq").press({Code::backspace, {}}).press({Code::backspace, {}});
    CHECK(keys.state.filter == "we");
    CHECK(shown_of(model, keys.state).back() == "filter: we   Enter keeps it, Escape drops it");
    keys.press({Code::enter, {}});
    CHECK(keys.state.mode == Mode::browse);
    CHECK(has(shown_of(model, keys.state), "filter: we"));
    CHECK_FALSE(has(shown_of(model, keys.state), "db"));
    keys.type("/").press(typed("ü")).press({Code::backspace, {}}).press(typed("ä")).press({Code::escape, {}});
    CHECK(keys.state.filter == "we");
    keys.press({Code::escape, {}});
    CHECK(keys.state.filter.empty());
    keys.type("/zzz");
    CHECK(has(shown_of(model, keys.state), "nothing passes the filter"));
}

TEST_CASE("following shows what there is to know of a container, and only its events") {
    TopModel model = sample();
    model.apply(event(Kind::paused, "web"));
    model.apply(event(Kind::unpaused, "alone", ""));
    Keys keys(model);
    keys.type("jjjjjf");
    REQUIRE(keys.state.followed);
    Texts lines = shown_of(model, keys.state);
    CHECK(has(lines, "EVENTS of web  f or Escape shows all"));
    CHECK(has(lines, "id " + std::string(60, 'a') + "web"));
    CHECK(has(lines, "paused    web"));
    CHECK_FALSE(has(lines, "unpaused  alone"));
    model.apply(event(Kind::exited, "web"));
    lines = shown_of(model, settled(keys.state, top_rows(model, ""), 10));
    CHECK(has(lines, "EVENTS of web"));
    CHECK(has(lines, "exited    web"));
    keys.press({Code::escape, {}});
    CHECK_FALSE(keys.state.followed);
    keys.type("gf");
    CHECK(has(shown_of(model, keys.state), "EVENTS of engine docker"));
    keys.type("jf");
    CHECK(has(shown_of(model, keys.state), "EVENTS of those without a project"));
    keys.type("f");
    CHECK_FALSE(keys.state.followed);
}

TEST_CASE("help tells of the keys, and goes with any") {
    const TopModel model = sample();
    Keys keys(model);
    keys.type("?");
    CHECK(has(shown_of(model, keys.state), "pause the container"));
    CHECK(has(shown_of(model, keys.state), "Any key goes back"));
    keys.type("x");
    CHECK(keys.state.mode == Mode::browse);
    CHECK(keys.type("?q").action->what == What::quit);
}

TEST_CASE("the header says why nothing is known yet") {
    TopModel model;
    CHECK(has(shown_of(model, {}), "listing what is there"));
    WatchEvent awaited = daemon_event(Kind::daemon_awaited);
    awaited.reason = "it is not\nrunning";
    model.apply(awaited);
    CHECK(has(shown_of(model, {}), "waiting for the daemon: it is not\\nrunning"));
    model.apply(daemon_event(Kind::daemon_up));
    model.apply(daemon_event(Kind::synchronized));
    CHECK(has(shown_of(model, {}), "listing what is there"));
    model.set_engines({});
    CHECK(has(shown_of(model, {}), "0 engines, 0 containers"));
    CHECK(has(shown_of(model, {}), "no engine is watched"));
}
