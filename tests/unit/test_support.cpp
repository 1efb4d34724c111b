// The small things that everything stands on: text, time, endpoints, labels, the event loop.
#include <chrono>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "engines/container.h"
#include "engines/endpoint.h"
#include "engines/support/event_loop.h"
#include "engines/support/text.h"
#include "engines/support/timestamp.h"
#include "tests/unit/catch.h"

using namespace shorewatch;
using namespace std::chrono_literals;

TEST_CASE("a container's project is its composer's, or else the family of its task") {
    using Entries = std::vector<Labels::Entry>;
    const Labels::Entry task{"org.shorewatch.task-family", "family"};
    CHECK(project_of(Labels(Entries{{"com.docker.compose.project", "shop"}})) == "shop");
    CHECK(project_of(Labels(Entries{{"io.podman.compose.project", "shop"}})) == "shop");
    CHECK(project_of(Labels(Entries{task})) == "family");
    CHECK(project_of(Labels(Entries{{"com.docker.compose.project", "shop"}, task})) == "shop");
    CHECK(project_of(Labels(Entries{{"family", "shop"}})).empty());
}

TEST_CASE("text that a bus would refuse is replaced, everything else stays") {
    CHECK(valid_utf8("plain ä 漢 😀") == "plain ä 漢 😀");
    CHECK(valid_utf8(std::string("a\0b", 3)) == "a\uFFFDb");
    CHECK(valid_utf8("a\xFF\xC3") == "a\uFFFD\uFFFD");
    CHECK(valid_utf8("\xED\xA0\x80") == "\uFFFD\uFFFD\uFFFD");                        // a surrogate
    CHECK(valid_utf8("\uFDD0\uFDEF\uFFFE\U0010FFFF") == "\uFFFD\uFFFD\uFFFD\uFFFD");  // noncharacters
    CHECK(valid_utf8("\uFDCF\uFDF0\uFFFD") == "\uFDCF\uFDF0\uFFFD");                  // beside them
    CHECK(valid_utf8("\xC0\x80") == "\uFFFD\uFFFD");                                  // an overlong NUL
    CHECK(valid_utf8("\xF4\x90\x80\x80") == "\uFFFD\uFFFD\uFFFD\uFFFD");              // past U+10FFFF
    CHECK(valid_utf8("").empty());
}

TEST_CASE("text shown to a person stays on its line and can't steer the terminal") {
    CHECK(printable("tab\tline\nend\r") == "tab\\tline\\nend\\r");
    CHECK(printable("\x1b[31mred") == "\\x1b[31mred");
    CHECK(printable("\xC2\x9B"
                    "31m") == "\\x9b31m");
    CHECK(printable("\xE2\x80\xAEgnp") == "\\u{202e}gnp");
    CHECK(printable("\uFFFE") == "\\u{fffe}");
    CHECK(printable("\xFF") == "\\xff");
    CHECK(printable("ä 漢") == "ä 漢");
}

TEST_CASE("timestamps of engines are read to the nanosecond, or not at all") {
    const auto time = parse_rfc3339("2026-11-22T00:04:53.123456789Z");
    REQUIRE(time);
    CHECK(to_rfc3339(*time) == "2026-11-22T00:04:53.123456789Z");
    CHECK(to_rfc3339(RealTime{}) == "1970-01-01T00:00:00.000000000Z");
    CHECK(to_decimal_seconds(*time) == "1795305893.123456789");
    CHECK(to_usec(time) == 1795305893123456U);
    CHECK(parse_rfc3339("2026-11-22T01:04:53.123456789+01:00") == time);
    CHECK(parse_rfc3339("2026-11-21T23:34:53.1234567891-00:30") == time);
    CHECK(to_decimal_seconds(parse_rfc3339("2026-11-22T00:04:53Z").value()) == "1795305893.000000000");
    CHECK_FALSE(parse_rfc3339("0001-01-01T00:00:00Z"));
    for (const char* bad :
         {"", "2026", "2026-13-01T00:00:00Z", "2026-02-30T00:00:00Z", "2026-11-22T24:00:00Z",
          "2026-11-22T00:04:53", "2026-11-22T00:04:53Zx", "2026-11-22T00:04:-3Z", "9999-01-01T00:00:00Z",
          "2026-11-22T00:04:53+24:00", "2026-11-22T00:04:53+01:60"}) {
        CAPTURE(bad);
        CHECK_FALSE(parse_rfc3339(bad));
    }
    // What counts is the time, not the year that it is written with.
    CHECK_FALSE(parse_rfc3339("1970-01-01T00:59:59+01:00"));
    CHECK(parse_rfc3339("1969-12-31T23:00:00-01:00") == RealTime{});
    CHECK_FALSE(parse_rfc3339("2199-12-31T23:00:00-01:00"));
    CHECK(parse_rfc3339("2200-01-01T00:59:59+01:00"));
}

TEST_CASE("seconds since 1970 are a time in the years that nanoseconds hold") {
    CHECK(from_unix_seconds(1795305893) == parse_rfc3339("2026-11-22T00:04:53Z"));
    CHECK(from_unix_seconds(7258118399) == parse_rfc3339("2199-12-31T23:59:59Z"));
    // The last is what a Date header of the year 212,257 is.
    for (const std::int64_t none :
         {std::int64_t{-1}, std::int64_t{0}, std::int64_t{7258118400}, 6636139574400})
        CHECK_FALSE(from_unix_seconds(none));
}

TEST_CASE("endpoints are written as in DOCKER_HOST") {
    CHECK(Endpoint::parse("unix:///run/docker.sock").socket_path == "/run/docker.sock");
    CHECK(Endpoint::parse("/run/docker.sock").url() == "unix:///run/docker.sock");
    CHECK(Endpoint::parse("tcp://h").url() == "tcp://h:2375");
    CHECK(Endpoint::parse("tcp://h", true).url() == "https://h:2376");
    CHECK(Endpoint::parse("https://h:1/").url() == "https://h:1");
    CHECK(Endpoint::parse("tcp://[::1]:99").host == "::1");
    CHECK(Endpoint::parse("tcp://[::1]:99").url() == "tcp://[::1]:99");
    for (const char* bad : {"", "unix://rel", "ssh://h", "tcp://", "tcp://h:0", "tcp://h:65536",
                            "tcp://h:", "tcp://h/p", "tcp://[::1", "tcp://h:1x", "unix://"}) {
        CAPTURE(bad);
        CHECK_THROWS_AS(Endpoint::parse(bad), std::invalid_argument);
    }
    CHECK_THROWS_AS(Endpoint::parse("/" + std::string(107, 'x')), std::invalid_argument);
}

TEST_CASE("labels are sorted, made valid, and cut by whole keys") {
    const Labels labels({{"b", "2"}, {"a", "\xFF"}, {"b", "3"}});
    REQUIRE(labels.entries().size() == 2);
    CHECK(*labels.find("a") == "\uFFFD");
    CHECK(*labels.find("b") == "3");
    CHECK(labels.find("c") == nullptr);
    CHECK_FALSE(labels.truncated());

    const Labels huge({{"big", std::string(10'000'000, 'x')}, {"small", "kept"}});
    CHECK(huge.truncated());
    CHECK(huge.entries().size() == 1);
    CHECK(*huge.find("small") == "kept");

    std::vector<Labels::Entry> many;
    for (int i = 0; i < 100; ++i)
        many.emplace_back("key" + std::to_string(i), std::string(1024, 'x'));
    const Labels::Entry first{"a", "1"};
    const Labels one(std::vector{first});
    CHECK_FALSE(one.with("b", "2").truncated());
    CHECK(*one.with("a", "2").find("a") == "2");
    CHECK(huge.with("b", "2").truncated());
    const Labels some(many);
    CHECK(some.truncated());
    CHECK(some.bytes() <= Labels::max_bytes);
    CHECK(some.entries().size() > 60);
}

TEST_CASE("two runs of a container are told apart by pid and start time") {
    Container one;
    one.id = "x";
    one.pid = 7;
    one.started = RealTime{5s};
    Container other = one;
    CHECK(one.is_same_run(other));
    other.pid = 0;
    CHECK(one.is_same_run(other));
    other.started = RealTime{6s};
    CHECK_FALSE(one.is_same_run(other));
    other = one;
    other.pid = 8;
    CHECK_FALSE(one.is_same_run(other));
}

TEST_CASE("the loop runs what other threads post, in order, and stops") {
    EventLoop loop;
    std::vector<int> seen;
    std::thread other([&] {
        for (int i = 0; i < 100; ++i)
            loop.post([&seen, i] { seen.push_back(i); });
        loop.post([&loop] { loop.stop(); });
    });
    loop.run();
    other.join();
    REQUIRE(seen.size() == 100);
    for (int i = 0; i < 100; ++i)
        CHECK(seen[static_cast<std::size_t>(i)] == i);
}

TEST_CASE("an exception in a handler ends the run, and no posted task is lost by it") {
    EventLoop loop;
    bool ran = false;
    loop.post([] { throw std::runtime_error("boom"); });
    loop.post([&] {
        ran = true;
        loop.stop();
    });
    CHECK_THROWS_AS(loop.run(), std::runtime_error);
    CHECK_FALSE(ran);
    loop.run();
    CHECK(ran);
}

TEST_CASE("a timer can be armed by its own handler, and may die in it") {
    EventLoop loop;
    int fired = 0;
    std::unique_ptr<Timer> timer;
    timer = std::make_unique<Timer>(loop, [&] {
        CHECK_FALSE(timer->armed());
        if (++fired < 3) return timer->arm_after(1ms);
        timer.reset();
        loop.stop();
    });
    timer->arm_after(0ms);
    CHECK(timer->armed());
    loop.run();
    CHECK(fired == 3);
}
