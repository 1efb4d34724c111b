// shorewatchctl: the tables, times and colours that it writes for people.
#include <cstdint>
#include <string>

#include "dbus/ctl/columns.h"
#include "dbus/ctl/table.h"
#include "dbus/ctl/terminal.h"
#include "dbus/ctl/time_format.h"
#include "tests/unit/catch.h"
#include "tests/unit/ctl_samples.h"

using namespace shorewatch;
using namespace shorewatch::ctl;
using namespace shorewatch::testing;

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
