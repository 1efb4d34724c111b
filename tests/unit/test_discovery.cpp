// Finding engines by their sockets, in folders that play /run and /run/user.
#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <string>
#include <vector>

#include <unistd.h>

#include "daemon/discovery.h"
#include "daemon/inotify.h"
#include "tests/fakes/drive.h"
#include "tests/unit/catch.h"
#include "tests/unit/discovery_world.h"

using namespace shorewatch;

namespace {

using Words = std::vector<std::string>;

std::string own_id() {
    return std::to_string(::getuid());
}

}  // namespace

TEST_CASE("engines whose sockets are there are found at once") {
    const Run run;
    run.listen("docker.sock");
    run.listen("containerd/containerd.sock");
    EventLoop loop;
    Told told;
    Discovery discovery(loop, {.system = run.folder, .users = {}, .own = {}}, told);
    discovery.start();
    CHECK(told.words == Words{"+containerd", "+docker"});
    CHECK(told.sockets.back() == run.folder / "docker.sock");
}

TEST_CASE("an engine whose socket appears is found, whatever of the way to it was there, and told once") {
    const Run run;
    EventLoop loop;
    Told told;
    Discovery discovery(loop, {.system = run.folder, .users = {}, .own = {}}, told);
    discovery.start();
    CHECK(told.words.empty());
    run.listen("docker.sock");
    REQUIRE(fakes::drive(loop, [&] { return told.words.size() == 1; }));
    fs::create_directory(run.folder / "podman");
    run.listen("podman/podman.sock");
    REQUIRE(fakes::drive(loop, [&] { return told.words.size() == 2; }));
    fs::remove(run.folder / "docker.sock");
    run.listen("docker.sock");
    run.listen("containerd/containerd.sock");
    REQUIRE(fakes::drive(loop, [&] { return told.words.size() == 3; }));
    CHECK(told.words == Words{"+docker", "+podman", "+containerd"});
}

TEST_CASE("what is no socket is no engine, until it is replaced by one") {
    const Run run;
    fs::create_directory(run.folder / "docker.sock");
    EventLoop loop;
    Told told;
    Discovery discovery(loop, {.system = run.folder, .users = {}, .own = {}}, told);
    discovery.start();
    CHECK(told.words.empty());
    fs::remove(run.folder / "docker.sock");
    run.listen("docker.sock");
    CHECK(fakes::drive(loop, [&] { return told.words == Words{"+docker"}; }));
}

TEST_CASE("Docker's socket that is a link to Podman's is Podman alone") {
    const Run run;
    run.listen("podman/podman.sock");
    fs::create_symlink(run.folder / "podman/podman.sock", run.folder / "docker.sock");
    EventLoop loop;
    Told told;
    Discovery discovery(loop, {.system = run.folder, .users = {}, .own = {}}, told);
    discovery.start();
    CHECK(told.words == Words{"+podman"});
}

TEST_CASE("users' engines come with them and go with them") {
    const Run run;
    const std::string id = own_id();
    EventLoop loop;
    Told told;
    Discovery discovery(loop, {.system = {}, .users = run.folder / "user", .own = {}}, told);
    discovery.start();
    fs::create_directories(run.folder / "user" / "nobody");
    run.listen("user/" + id + "/podman/podman.sock");
    REQUIRE(fakes::drive(loop, [&] { return told.words == Words{"+podman-" + id}; }));
    run.listen("user/" + id + "/docker.sock");
    REQUIRE(fakes::drive(loop, [&] { return told.words.size() == 2; }));
    fs::remove_all(run.folder / "user" / id);
    REQUIRE(fakes::drive(loop, [&] { return told.words.size() == 4; }));
    run.listen("user/" + id + "/docker.sock");
    REQUIRE(fakes::drive(loop, [&] { return told.words.size() == 5; }));
    CHECK(told.words ==
          Words{"+podman-" + id, "+docker-" + id, "-docker-" + id, "-podman-" + id, "+docker-" + id});
}

TEST_CASE("a socket in a user's folder that is somebody else's is no engine of that user") {
    if (::getuid() != 0) return;  // only root can give a file away
    const Run run;
    run.listen("user/4711/docker.sock");
    REQUIRE(::chown((run.folder / "user/4711/docker.sock").c_str(), 4712, 4712) == 0);
    run.listen("user/4711/podman/podman.sock");
    REQUIRE(::chown((run.folder / "user/4711/podman/podman.sock").c_str(), 4711, 4711) == 0);
    EventLoop loop;
    Told told;
    Discovery discovery(loop, {.system = {}, .users = run.folder / "user", .own = {}}, told);
    discovery.start();
    CHECK(told.words == Words{"+podman-4711"});
}

TEST_CASE("a user's own daemon finds that user's engines under their plain names") {
    const Run run;
    run.listen("podman/podman.sock");
    run.listen("containerd/containerd.sock");
    EventLoop loop;
    Told told;
    Discovery discovery(loop, {.system = {}, .users = {}, .own = run.folder}, told);
    discovery.start();
    CHECK(told.words == Words{"+podman"});
}

TEST_CASE("who can't watch says which limit may be too low") {
    using Catch::Matchers::StartsWith;
    const auto said = [](int error) { return std::string(Inotify::failure(error, "watch /run").what()); };
    CHECK_THAT(said(EMFILE),
               StartsWith("watch /run (is fs.inotify.max_user_instances too low, or LimitNOFILE="));
    CHECK_THAT(said(ENOSPC), StartsWith("watch /run (is fs.inotify.max_user_watches too low?): "));
    CHECK_THAT(said(EACCES), StartsWith("watch /run: "));
}
