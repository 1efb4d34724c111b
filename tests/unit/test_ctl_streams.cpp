// shorewatchctl run: bytes between our streams and a container's, and our terminal meanwhile.
#include <array>
#include <cerrno>
#include <csignal>
#include <optional>
#include <string>
#include <thread>

#include <fcntl.h>
#include <pty.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "dbus/ctl/exit_code.h"
#include "dbus/ctl/runtime/raw_terminal.h"
#include "dbus/ctl/runtime/stream_pump.h"
#include "engines/support/event_loop.h"
#include "engines/support/unique_fd.h"
#include "tests/fakes/temporary_folder.h"
#include "tests/unit/catch.h"

using namespace shorewatch;
using namespace shorewatch::ctl;

namespace {

struct Pipe {
    UniqueFd read_end;
    UniqueFd write_end;

    Pipe() {
        std::array<int, 2> ends{};
        REQUIRE(::pipe2(ends.data(), O_CLOEXEC) == 0);
        read_end.reset(ends[0]);
        write_end.reset(ends[1]);
    }
};

struct Pty {
    UniqueFd master;
    UniqueFd slave;

    Pty() {
        int outer = -1;
        int inner = -1;
        REQUIRE(::openpty(&outer, &inner, nullptr, nullptr, nullptr) == 0);
        master.reset(outer);
        slave.reset(inner);
    }
    [[nodiscard]] termios mode() const {
        termios result{};
        REQUIRE(::tcgetattr(slave.get(), &result) == 0);
        return result;
    }
    [[nodiscard]] bool is_raw() const { return (mode().c_lflag & (ICANON | ECHO | ISIG)) == 0; }
};

void put(int fd, const std::string& text) {
    REQUIRE(::write(fd, text.data(), text.size()) == static_cast<ssize_t>(text.size()));
}

// All there is until the end.
std::string all_of(int fd) {
    std::string text;
    std::array<char, 65536> piece;
    while (true) {
        const ssize_t count = ::read(fd, piece.data(), piece.size());
        if (count <= 0) return text;
        text.append(piece.data(), static_cast<std::size_t>(count));
    }
}

std::string pattern(std::size_t size) {
    std::string text(size, '\0');
    for (std::size_t i = 0; i < size; ++i)
        text[i] = static_cast<char>('a' + (i * 7 + i / 4096) % 26);
    return text;
}

// Pumps until it ends; says how.
int pump(int from, int to) {
    EventLoop loop;
    std::optional<int> how;
    const StreamPump it(loop, from, to, [&](int error) {
        how = error;
        loop.stop();
    });
    loop.run();
    return how.value();
}

UniqueFd file_with(const std::filesystem::path& path, const std::string& content) {
    UniqueFd file(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
    put(file.get(), content);
    REQUIRE(::lseek(file.get(), 0, SEEK_SET) == 0);
    return file;
}

}  // namespace

TEST_CASE("all bytes of a stream come to its reader, in order, however slow that is") {
    Pipe from;
    Pipe to;
    const std::string sent = pattern(3'000'000);
    std::thread writer([&] {
        put(from.write_end.get(), sent);
        from.write_end.reset();
    });
    std::string received;
    std::thread reader([&] { received = all_of(to.read_end.get()); });
    CHECK(pump(from.read_end.get(), to.write_end.get()) == 0);
    to.write_end.reset();
    writer.join();
    reader.join();
    CHECK(received == sent);
}

TEST_CASE("files and null devices can be the ends of a stream") {
    const fakes::TemporaryFolder folder;
    const std::string sent = pattern(200'000);
    const UniqueFd from = file_with(folder.path() / "from", sent);
    const UniqueFd to = file_with(folder.path() / "to", "");
    CHECK(pump(from.get(), to.get()) == 0);
    REQUIRE(::lseek(to.get(), 0, SEEK_SET) == 0);
    CHECK(all_of(to.get()) == sent);

    const UniqueFd null(::open("/dev/null", O_RDWR | O_CLOEXEC));
    CHECK(pump(null.get(), to.get()) == 0);
    Pipe pipe;
    put(pipe.write_end.get(), "for nobody");
    pipe.write_end.reset();
    CHECK(pump(pipe.read_end.get(), null.get()) == 0);
}

TEST_CASE("a stream ends when nobody reads it any more, also while nothing is written") {
    std::signal(SIGPIPE, SIG_IGN);
    Pipe from;
    Pipe to;
    to.read_end.reset();
    CHECK(pump(from.read_end.get(), to.write_end.get()) == EPIPE);
    std::array<int, 2> sockets{};
    REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sockets.data()) == 0);
    const UniqueFd ours(sockets[0]);
    ::close(sockets[1]);
    CHECK(pump(from.read_end.get(), ours.get()) == EPIPE);
}

TEST_CASE("what can't be written says why") {
    const UniqueFd full(::open("/dev/full", O_WRONLY | O_CLOEXEC));
    Pipe from;
    put(from.write_end.get(), "too much");
    CHECK(pump(from.read_end.get(), full.get()) == ENOSPC);
}

TEST_CASE("a stream whose reader pauses does not keep its loop busy, nor the others waiting") {
    Pipe from;
    Pipe to;
    put(from.write_end.get(), std::string(60'000, 'x'));
    put(to.write_end.get(), std::string(65'536, 'y'));  // full
    from.write_end.reset();                             // which is told as long as it is not read
    EventLoop loop;
    int turns = 0;
    const EventSource counter = loop.before_wait([&] { ++turns; });
    bool ended = false;
    const StreamPump stuck(loop, from.read_end.get(), to.write_end.get(), [&](int) { ended = true; });
    Pipe other_from;
    Pipe other_to;
    const StreamPump other(loop, other_from.read_end.get(), other_to.write_end.get(),
                           [&](int) { loop.stop(); });
    Timer later(loop, [&] { other_from.write_end.reset(); });
    later.arm_after(std::chrono::milliseconds(50));
    loop.run();
    CHECK_FALSE(ended);
    CHECK(turns < 50);
}

TEST_CASE("a pump may be destroyed by the handler of its end") {
    EventLoop loop;
    Pipe from;
    Pipe to;
    from.write_end.reset();
    std::unique_ptr<StreamPump> it;
    it = std::make_unique<StreamPump>(loop, from.read_end.get(), to.write_end.get(), [&](int) {
        it.reset();
        loop.stop();
    });
    loop.run();
    CHECK(it == nullptr);
}

TEST_CASE("a terminal is raw while a container has it, and as it was afterwards") {
    const Pty pty;
    const termios before = pty.mode();
    REQUIRE_FALSE(pty.is_raw());
    {
        RawTerminal raw(pty.slave.get());
        CHECK(pty.is_raw());
        raw.restore();
        CHECK_FALSE(pty.is_raw());
        raw.make_raw();
        CHECK(pty.is_raw());
    }
    const termios after = pty.mode();
    CHECK(after.c_lflag == before.c_lflag);
    CHECK(after.c_iflag == before.c_iflag);
    CHECK(after.c_oflag == before.c_oflag);
    CHECK(after.c_cflag == before.c_cflag);
}

TEST_CASE("a terminal is as it was also after a failure") {
    const Pty pty;
    try {
        const RawTerminal raw(pty.slave.get());
        throw CommandError(ExitCode::refused, "of any kind");
    } catch (const CommandError&) {
        CHECK_FALSE(pty.is_raw());
    }
}

TEST_CASE("what is no terminal can't be made raw, and has no size") {
    const Pipe pipe;
    CHECK_THROWS_AS(RawTerminal(pipe.read_end.get()), CommandError);
    CHECK_FALSE(terminal_size(pipe.read_end.get()));
}

TEST_CASE("the size of a terminal is in columns and rows") {
    const Pty pty;
    const winsize size{.ws_row = 43, .ws_col = 132, .ws_xpixel = 0, .ws_ypixel = 0};
    REQUIRE(::ioctl(pty.slave.get(), TIOCSWINSZ, &size) == 0);
    const auto seen = terminal_size(pty.slave.get());
    REQUIRE(seen);
    CHECK((seen->width == 132 && seen->height == 43));
}

TEST_CASE("a terminal whose other side has gone ends its stream") {
    Pty pty;
    const Pipe to;
    const RawTerminal raw(pty.slave.get());
    pty.master.reset();
    CHECK(pump(pty.slave.get(), to.write_end.get()) == 0);
}
