// shorewatchctl: its exit codes, and its output to slow readers and to readers who have gone.
#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>

#include <sys/epoll.h>
#include <unistd.h>

#include "dbus/ctl/exit_code.h"
#include "dbus/ctl/output.h"
#include "engines/support/event_loop.h"
#include "engines/support/unique_fd.h"
#include "tests/unit/catch.h"

using namespace shorewatch;
using namespace shorewatch::ctl;

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
          "cannot list the containers: access denied (said\\nso); be root, or join the group shorewatch and "
          "have polkit allow org.shorewatch1.control");
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
