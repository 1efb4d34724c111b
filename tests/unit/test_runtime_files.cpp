// What the runtime keeps on disk, and the pipes of its processes.
#include <algorithm>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon/runtime/process_pipes.h"
#include "daemon/runtime/state_folder.h"
#include "tests/fakes/drive.h"
#include "tests/fakes/temporary_folder.h"
#include "tests/unit/catch.h"

using namespace shorewatch;
using namespace shorewatch::fakes;
namespace fs = std::filesystem;

namespace {

bool is_blocking(int fd) {
    return (::fcntl(fd, F_GETFL) & O_NONBLOCK) == 0;
}

std::string read_some(int fd) {
    std::string text(100, '\0');
    const ssize_t count = ::read(fd, text.data(), text.size());
    text.resize(count > 0 ? static_cast<std::size_t>(count) : 0);
    return text;
}

void write_to(int fd, const std::string& text) {
    REQUIRE(::write(fd, text.data(), text.size()) == static_cast<ssize_t>(text.size()));
}

// What a shim has of a stream that it writes: both ends.
struct ShimEnd {
    explicit ShimEnd(const std::string& path)
        : writer(::open(path.c_str(), O_WRONLY | O_CLOEXEC)),
          reader(::open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC)) {
        REQUIRE(writer);
        REQUIRE(reader);
    }
    void close() {
        writer.reset();
        reader.reset();
    }
    UniqueFd writer;
    UniqueFd reader;
};

}  // namespace

TEST_CASE("what was kept of a container is there for the next daemon, and for nobody else") {
    const TemporaryFolder folder;
    const StateFolder state(folder.path() / "runtime/containerd");
    CHECK(state.read().empty());
    state.add("web", "shorewatch");
    state.add("db.1", "other");
    state.mark("web");
    auto kept = StateFolder(folder.path() / "runtime/containerd").read();
    std::ranges::sort(kept, {}, &StateFolder::Kept::id);
    REQUIRE(kept.size() == 2);
    CHECK(kept[0].id == "db.1");
    CHECK(kept[0].name_space == "other");
    CHECK_FALSE(kept[0].marked);
    CHECK(kept[1].id == "web");
    CHECK(kept[1].marked);
    struct stat status{};
    REQUIRE(::stat(state.of("web").c_str(), &status) == 0);
    CHECK((status.st_mode & 0777) == 0700);
    state.unmark("web");
    state.remove("db.1");
    kept = state.read();
    REQUIRE(kept.size() == 1);
    CHECK_FALSE(kept[0].marked);
}

TEST_CASE("a container whose creation was cut off leaves nothing, and what is not ours stays") {
    const TemporaryFolder folder;
    const StateFolder state(folder.path());
    fs::create_directories(folder.path() / "half");
    std::ofstream(folder.path() / "half/namespace.new") << "shorewatch\n";
    fs::create_directories(folder.path() / "not ours");
    CHECK(state.read().empty());
    CHECK_FALSE(fs::exists(folder.path() / "half"));
    CHECK(fs::exists(folder.path() / "not ours"));
}

TEST_CASE("a state folder that can't be written is an error that names it") {
    const TemporaryFolder folder;
    std::ofstream(folder.path() / "file") << "no folder";
    const StateFolder state(folder.path() / "file/runtime");
    CHECK_THROWS_WITH(state.add("web", "shorewatch"), Catch::Matchers::ContainsSubstring("file"));
    CHECK_THROWS(state.mark("web"));
}

TEST_CASE("a caller has the ends of a process's streams, which wait as callers expect") {
    const TemporaryFolder folder;
    EventLoop loop;
    ProcessPipes pipes(loop, folder.path(), "init", {}, [] {});
    const ProcessStreams streams = pipes.streams(false);
    ClientEnds ends = pipes.take_ends();
    CHECK(is_blocking(ends.in.get()));
    CHECK(is_blocking(ends.out.get()));
    CHECK(is_blocking(ends.error.get()));
    ShimEnd out(streams.out);
    const UniqueFd in(::open(streams.in.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC));
    write_to(out.writer.get(), "output");
    CHECK(read_some(ends.out.get()) == "output");
    write_to(ends.in.get(), "input");
    CHECK(read_some(in.get()) == "input");
}

TEST_CASE("output that was written before anybody had a descriptor is not lost with its writer") {
    const TemporaryFolder folder;
    EventLoop loop;
    bool drained = false;
    ProcessPipes pipes(loop, folder.path(), "init", {.in = false, .out = true, .error = false},
                       [&] { drained = true; });
    {
        ShimEnd out(pipes.streams(true).out);
        write_to(out.writer.get(), "last words");
        out.close();
    }
    REQUIRE(drive(loop, [&] { return drained; }));
    CHECK(pipes.is_drained());
    pipes.remove_names();
    const ClientEnds ends = pipes.take_ends();
    CHECK(read_some(ends.out.get()) == "last words");
    CHECK(read_some(ends.out.get()).empty());
}

TEST_CASE("a process's output is over when the last of its streams is, and not before anything was written") {
    const TemporaryFolder folder;
    EventLoop loop;
    int drained = 0;
    ProcessPipes pipes(loop, folder.path(), "init", {}, [&] { ++drained; });
    bool turned = false;
    loop.post([&] { turned = true; });
    REQUIRE(drive(loop, [&] { return turned; }));
    CHECK(drained == 0);
    ShimEnd out(pipes.streams(false).out);
    ShimEnd error(pipes.streams(false).error);
    out.close();
    turned = false;
    loop.post([&] { turned = true; });
    REQUIRE(drive(loop, [&] { return turned; }));
    CHECK(drained == 0);
    error.close();
    REQUIRE(drive(loop, [&] { return drained > 0; }));
    CHECK(drained == 1);
}

TEST_CASE("another caller, and another daemon, can take up a process's streams") {
    const TemporaryFolder folder;
    EventLoop loop;
    auto first = std::make_unique<ProcessPipes>(
        loop, folder.path(), "init", ProcessPipes::Wanted{.in = true, .out = true, .error = false}, [] {});
    ShimEnd out(first->streams(true).out);
    write_to(out.writer.get(), "kept");
    first.reset();
    bool drained = false;
    const auto second = ProcessPipes::find(loop, folder.path(), "init", [&] { drained = true; });
    const ClientEnds ends = second->open_ends();
    CHECK(read_some(ends.out.get()) == "kept");
    CHECK(ends.in);
    CHECK_FALSE(ends.error);
    out.close();
    REQUIRE(drive(loop, [&] { return drained; }));
    remove_pipes(folder.path());
    CHECK(fs::is_empty(folder.path()));
}

TEST_CASE("what stands in a pipe's place is replaced, and what can't be made is an error") {
    const TemporaryFolder folder;
    EventLoop loop;
    std::ofstream(folder.path() / "init-stdout") << "from before";
    const ProcessPipes pipes(loop, folder.path(), "init", {}, [] {});
    CHECK(fs::is_fifo(folder.path() / "init-stdout"));
    CHECK_THROWS_WITH(ProcessPipes(loop, folder.path() / "none", "init", {}, [] {}),
                      Catch::Matchers::ContainsSubstring("init-stdin"));
}
