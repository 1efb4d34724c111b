// Text and structures that somebody made up to do harm: they pass, cleaned up, or are refused; nothing
// breaks.
#include <string>
#include <vector>

#include "engines/support/text.h"
#include "tests/faults/docker_fixture.h"

using namespace shorewatch;
using namespace shorewatch::fakes;
using namespace std::string_literals;
using Catch::Matchers::ContainsSubstring;
using Kind = EngineError::Kind;

namespace {

bool is_clean(const Container& container) {
    bool clean = true;
    const auto check = [&](const std::string& text) { clean = clean && valid_utf8(text) == text; };
    check(container.id);
    check(container.name);
    check(container.image);
    check(container.project);
    for (const auto& [key, value] : container.labels->entries()) {
        check(key);
        check(value);
    }
    return clean;
}

std::string nested(char open, std::size_t depth) {
    return std::string(depth, open) + std::string(depth, open == '[' ? ']' : '}');
}

}  // namespace

TEST_CASE("names, images and labels of any bytes come through as valid UTF-8 without NUL") {
    const auto text =
        GENERATE(as<std::string>{}, "a\xFF\xFE", "\xC3", "\xED\xA0\x80", "nul\0byte"s, "\x1b[31mred\r\n",
                 "\xF4\x90\x80\x80", "\"\\/\b\f", "\u2028\u202Egnp", "../../etc", "漢字", "%s%n", "");
    CAPTURE(text);
    DockerFixture fixture;
    fixture.open();
    const auto id =
        fixture.engine.start({.name = "n" + text,
                              .labels = {{"k" + text, text}, {"com.docker.compose.project", text}},
                              .image = "i" + text});
    REQUIRE(fixture.wait_for_events(1));
    const auto list = fixture.list().value();
    const Inspection inspection = fixture.inspect(id).value();
    REQUIRE(list.size() == 1);
    const std::vector<ContainerPtr> all{fixture.observer.events[0].container, list[0], inspection.container};
    for (const ContainerPtr& container : all) {
        CHECK(is_clean(*container));
        CHECK(container->id == id);
        CHECK(container->name == valid_utf8("n" + text));
        CHECK(container->image == valid_utf8("i" + text));
        CHECK(container->project == valid_utf8(text));
        REQUIRE(container->labels->find(valid_utf8("k" + text)) != nullptr);
        CHECK(*container->labels->find(valid_utf8("k" + text)) == valid_utf8(text));
    }
}

TEST_CASE("escapes that stand for no character become U+FFFD") {
    DockerFixture fixture;
    fixture.open();
    for (const char* escape : {R"(\ud800)", R"(\udc00)", R"(\ud800\ud800)", R"(\udc00\ud800)", R"(\u0000)"}) {
        CAPTURE(escape);
        const std::size_t before = fixture.observer.events.size();
        fixture.engine.stream_text(
            R"({"Type":"container","Action":"start","Actor":{"ID":"x","Attributes":{"name":"a)" +
            std::string(escape) + R"(z"}},"timeNano":)" +
            std::to_string(real_time_now().time_since_epoch().count()) + "}");
        REQUIRE(fixture.wait_for_events(before + 1));
        const std::string name = fixture.observer.events.back().container->name;
        CHECK(valid_utf8(name) == name);
        CHECK_THAT(name, Catch::Matchers::StartsWith("a\uFFFD") && Catch::Matchers::EndsWith("z"));
    }
    fixture.pass_a_marker();
}

TEST_CASE("a label of 10 MB and forty of 1 MB are left out, and that is told") {
    DockerFixture fixture;
    fixture.open();
    std::vector<std::pair<std::string, std::string>> labels{{"small", "kept"}};
    SECTION("one of 10 MB") {
        labels.emplace_back("big", std::string(10'000'000, 'x'));
    }
    SECTION("ten of 1 MB") {
        for (int i = 0; i < 10; ++i)
            labels.emplace_back("big" + std::to_string(i), std::string(1'000'000, 'x'));
    }
    SECTION("a key of 10 MB") {
        labels.emplace_back(std::string(10'000'000, 'k'), "v");
    }
    SECTION("a hundred thousand small ones") {
        for (int i = 0; i < 100'000; ++i)
            labels.emplace_back("key" + std::to_string(i), "value of some length");
    }
    const auto id = fixture.engine.start({.name = "web", .labels = labels}, Tell::never);
    const auto list = fixture.list().value();
    REQUIRE(list.size() == 1);
    const Inspection inspection = fixture.inspect(id).value();
    for (const ContainerPtr& container : {list[0], inspection.container}) {
        CHECK(container->labels->truncated());
        CHECK(container->labels->bytes() <= Labels::max_bytes);
    }
    CHECK(inspection.alive);
}

TEST_CASE("ids that can be none are passed over; all others are asked for to the byte") {
    DockerFixture fixture;
    fixture.open();
    SECTION("strange ids") {
        for (const std::string& id :
             {"with/slash"s, ".."s, "a b"s, "k8s.io-0123456789abcdef.0123456789abcdef"s, "%41"s, "?x=1"s,
              "#"s, "ümlaut"s, "a\"b"s, "a\\b"s}) {
            CAPTURE(id);
            fixture.engine.start({.name = "web", .id = id}, Tell::never);
            // The fake sees the path as it was sent.
            static_cast<void>(fixture.inspect(id));
            const std::string path = fixture.engine.seen().last(Request::inspect)->http.path;
            CHECK(path.find_first_of(" \"\\?#") == std::string::npos);
            CHECK_THAT(path, Catch::Matchers::StartsWith("/v1.41/containers/"));
        }
    }
    SECTION("unusable ids") {
        for (const std::string& id : {"\xFF"s, "a\0b"s, std::string(100'000, 'x')}) {
            fixture.engine.start({.name = "bad", .id = id});
        }
        const auto good = fixture.engine.start({.name = "good"});
        CHECK(fixture.list().value().size() == 1);
        fixture.pass_a_marker();
        CHECK(fixture.observer.story() == "started good");
        CHECK(fixture.inspect(good));
    }
}

TEST_CASE("one odd entry in a list does not hide the others") {
    const auto odd = GENERATE(as<std::string>{}, "null", "{}", "[]", "7", "\"x\"", R"({"Id":null})",
                              R"({"Id":7})", R"({"Id":""})", R"({"Id":"x","State":"exited"})");
    CAPTURE(odd);
    DockerFixture fixture;
    fixture.engine.start({.name = "web"});
    fixture.open();
    fixture.engine.when(Request::list, {.edit = [&](std::string body) { return body.insert(1, odd + ","); }});
    const auto list = fixture.list();
    REQUIRE(list);
    REQUIRE(list.value().size() == 1);
    CHECK(list.value()[0]->name == "web");
}

TEST_CASE("fields of other types than expected count as absent") {
    const auto body = GENERATE_COPY(
        as<std::string>{}, R"({"Id":"ID","State":{}})", R"({"Id":"ID","State":{"Running":"yes","Pid":"7"}})",
        R"({"Id":"ID","State":{"Running":true,"Pid":-1}})",
        R"({"Id":"ID","State":{"Running":true,"Pid":4294967296}})",
        R"({"Id":"ID","State":{"Running":true,"Pid":1e30}})",
        R"({"Id":"ID","State":{"Running":true,"Pid":0}})",
        R"({"Id":"ID","State":{"Running":true,"Pid":7.5}})",
        R"({"Id":"ID","Name":7,"Config":[],"HostConfig":null,"State":{"ExitCode":1e9999}})",
        R"({"Id":"ID","Config":{"Labels":[1]},"State":{"StartedAt":7,"FinishedAt":"soon"}})",
        R"({"Id":"ID","Config":{"Labels":{"a":{},"b":null}},"State":{"Running":null}})");
    DockerFixture fixture;
    fixture.open();
    const auto id = fixture.engine.start({.name = "web"});
    std::string text = body;
    text.replace(text.find("ID"), 2, id);
    CAPTURE(text);
    fixture.engine.when(Request::inspect, {.body = text});
    const auto result = fixture.inspect(id);
    if (result) {
        CHECK_FALSE(result.value().alive);
        CHECK(result.value().container->pid == 0);
        CHECK_FALSE(result.value().exit_code);
        CHECK(result.value().container->labels->entries().empty());
    } else {
        CHECK(result.error().kind == Kind::protocol);
    }
    fixture.pass_a_marker();
}

TEST_CASE("brackets as deep as the limits allow are refused, not followed") {
    DockerFixture fixture;
    fixture.open();
    const auto web = fixture.engine.start({.name = "web"}, Tell::never);
    const auto open = GENERATE('[', '{');
    const std::string deep = open == '[' ? nested('[', 2'000'000) : [] {
        std::string text;
        for (int i = 0; i < 500'000; ++i)
            text += "{\"a\":";
        return text + "1" + std::string(500'000, '}');
    }();
    fixture.engine.when(Request::list, {.body = "[" + deep + "]"});
    fixture.engine.when(Request::inspect, {.body = "{\"a\":" + deep + "}"});
    CHECK(fixture.list().error().kind == Kind::protocol);
    CHECK(fixture.inspect(web).error().kind == Kind::protocol);
    fixture.pass_a_marker();
    fixture.engine.stream_text("{\"a\":" + deep.substr(0, 1'000'000) + "\n");
    fixture.engine.cut_streams();
    CHECK(fixture.wait_for_end().kind == Kind::protocol);
    fixture.open();
    fixture.engine.stream_text("{\"a\":" + deep + "}\n");
    CHECK(fixture.wait_for_end().kind == Kind::protocol);
}

TEST_CASE("an engine that lists a million containers is refused or taken, but does not exhaust us") {
    DockerFixture fixture;
    fixture.open();
    std::string body = "[{}";
    for (int i = 1; i < 1'000'000; ++i)
        body += ",{}";
    fixture.engine.when(Request::list, {.body = body + "]"});
    const auto list = fixture.list();
    CHECK((!list || list.value().empty()));
    fixture.engine.when(Request::list, {.body = std::string(70'000'000, ' ')});
    CHECK(fixture.list().error().kind == Kind::protocol);
    fixture.pass_a_marker();
}

TEST_CASE("an engine's words are shown on one line, without control characters, and cut") {
    DockerFixture fixture;
    fixture.open();
    const auto web = fixture.engine.start({.name = "web"});
    fixture.engine.when(Request::inspect,
                        {.status = 500, .message = "\x1b]0;owned\a\nline\xFF" + std::string(40'000, 'x')});
    const EngineError error = fixture.inspect(web).error();
    CHECK(error.message == printable(error.message));
    CHECK(error.message == valid_utf8(error.message));
    CHECK_THAT(error.message, ContainsSubstring("\\x1b]0;owned\\x07\\nline"));
    CHECK(error.message.size() < 2000);
    // Not in JSON at all.
    fixture.engine.when(Request::inspect, {.status = 502, .body = "<html>\x1b[2J Bad Gateway</html>"});
    CHECK_THAT(fixture.inspect(web).error().message,
               ContainsSubstring("HTTP 502: <html>\\x1b[2J Bad Gateway"));
    fixture.engine.when(Request::inspect, {.status = 500, .body = ""});
    CHECK_THAT(fixture.inspect(web).error().message, ContainsSubstring("HTTP 500"));
}
