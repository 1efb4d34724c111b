// Finding engines in containers: processes whose root folder is another play them.
#include <memory>
#include <string>
#include <vector>

#include <sys/stat.h>
#include <unistd.h>

#include "daemon/nested_discovery.h"
#include "tests/fakes/drive.h"
#include "tests/unit/catch.h"
#include "tests/unit/child_process.h"
#include "tests/unit/discovery_world.h"

using namespace shorewatch;
using Words = std::vector<std::string>;

namespace {

// A container with an id, in a folder.
class Box {
  public:
    explicit Box(std::string id, bool with_run = true)
        : process_([this] {
              if (::chroot(root.folder.c_str()) != 0 || ::chdir("/") != 0) ::_exit(1);
          }) {
        container.id = std::move(id);
        container.pid = process_.pid();
        if (with_run) fs::create_directory(root.folder / "run");
    }

    Run root;
    Container container;

  private:
    ChildProcess process_;
};

struct World {
    // Of the sockets of this host.
    std::vector<fs::path> known;
    EventLoop loop;
    Told told;
    NestedDiscovery discovery{
        loop, told, [this](const struct stat& socket) {
            for (const fs::path& path : known) {
                struct stat status{};
                if (::stat(path.c_str(), &status) == 0 && status.st_ino == socket.st_ino) return true;
            }
            return false;
        }};

    [[nodiscard]] bool comes(const Words& words) {
        return fakes::drive(loop, [&] { return told.words == words; });
    }
};

}  // namespace

TEST_CASE("engines whose sockets are in a container are found when it starts, and go with it") {
    World world;
    const Box box("3f2a9c01d4e8aaaa");
    box.root.listen("run/docker.sock");
    box.root.listen("run/containerd/containerd.sock");
    world.discovery.container_started("podman", box.container);
    CHECK(world.told.words == Words{"+containerd-in-3f2a9c01d4e8", "+docker-in-3f2a9c01d4e8"});
    CHECK(world.told.sockets.back() == "/run/docker.sock");
    world.discovery.container_exited("docker", box.container.id);  // another's
    CHECK(world.told.words.size() == 2);
    world.discovery.container_exited("podman", box.container.id);
    REQUIRE(world.told.words.size() == 4);
    CHECK(world.told.words[2] == "-containerd-in-3f2a9c01d4e8");
    CHECK(world.told.words[3] == "-docker-in-3f2a9c01d4e8");
}

TEST_CASE("an engine that starts later in a container is found, whatever of the way to its socket is there") {
    World world;
    const bool with_run = GENERATE(true, false);
    const Box box("1234", with_run);
    world.discovery.container_started("docker", box.container);
    CHECK(world.told.words.empty());
    box.root.listen("run/podman/podman.sock");
    REQUIRE(world.comes({"+podman-in-1234"}));
    fs::remove(box.root.folder / "run/podman/podman.sock");
    box.root.listen("run/podman/podman.sock");
    box.root.listen("run/docker.sock");
    CHECK(world.comes({"+podman-in-1234", "+docker-in-1234"}));
}

TEST_CASE("a socket of the host that is mounted into a container is no engine in it") {
    World world;
    const Box box("1234");
    box.root.listen("run/docker.sock");
    world.known.push_back(box.root.folder / "run/docker.sock");
    box.root.listen("run/podman/podman.sock");
    world.discovery.container_started("docker", box.container);
    CHECK(world.told.words == Words{"+podman-in-1234"});
}

TEST_CASE("a link in a container leads to nothing outside of it") {
    World world;
    const Run host;
    host.listen("docker.sock");
    const Box box("1234");
    fs::create_symlink(host.folder / "docker.sock", box.root.folder / "run/docker.sock");
    fs::create_directory(box.root.folder / "run/podman");
    fs::create_symlink("/proc/1/root/run", box.root.folder / "run/crio");
    world.discovery.container_started("docker", box.container);
    CHECK(world.told.words.empty());
}

TEST_CASE(
    "Docker's socket in a container that is a link to Podman's is Podman alone, and one to elsewhere "
    "Docker") {
    World world;
    const Box both("1234");
    both.root.listen("run/podman/podman.sock");
    fs::create_symlink("/run/podman/podman.sock", both.root.folder / "run/docker.sock");
    world.discovery.container_started("docker", both.container);
    CHECK(world.told.words == Words{"+podman-in-1234"});
    const Box moved("5678");
    moved.root.listen("run/other/docker.sock");
    fs::create_symlink("other/docker.sock", moved.root.folder / "run/docker.sock");
    world.discovery.container_started("docker", moved.container);
    CHECK(world.told.words.back() == "+docker-in-5678");
}

TEST_CASE("engines are told apart whatever the containers' ids are") {
    World world;
    const Box one("default/web");
    const Box two("prod/web");
    const Box hostile("../../x y\n\xff");
    for (const Box* box : {&one, &two, &hostile}) {
        box->root.listen("run/docker.sock");
        world.discovery.container_started("containerd", box->container);
    }
    CHECK(world.told.words == Words{"+docker-in-web", "+docker-in-web-again", "+docker-in-x_y__"});
    world.discovery.container_exited("containerd", "default/web");
    CHECK(world.told.words.back() == "-docker-in-web");
}

TEST_CASE("an engine that is not watched any more takes what was found in its containers with it") {
    World world;
    const Box one("1");
    const Box two("2");
    const Box other("3");
    for (const Box* box : {&one, &two, &other})
        box->root.listen("run/docker.sock");
    world.discovery.container_started("podman", one.container);
    world.discovery.container_started("podman", two.container);
    world.discovery.container_started("podman2", other.container);
    world.discovery.engine_removed("podman");
    REQUIRE(world.told.words.size() == 5);
    CHECK(world.told.words[3] == "-docker-in-1");
    CHECK(world.told.words[4] == "-docker-in-2");
}

TEST_CASE("a container that is over, or has no process yet, is not looked into") {
    World world;
    auto box = std::make_unique<Box>("1234");
    box->root.listen("run/docker.sock");
    Container container = box->container;
    container.pid = 0;
    world.discovery.container_started("docker", container);
    container.pid = 0x7FFFFFFF;
    world.discovery.container_started("docker", container);
    world.discovery.container_exited("docker", container.id);
    CHECK(world.told.words.empty());
}

TEST_CASE("the way to a socket may lead through links, within the container") {
    World world;
    const Box one("1");
    Box two("2");
    fs::remove(two.root.folder / "run");
    fs::create_symlink("shared", two.root.folder / "run");
    world.discovery.container_started("docker", one.container);
    world.discovery.container_started("docker", two.container);
    fs::create_directory(two.root.folder / "shared");
    two.root.listen("shared/docker.sock");
    REQUIRE(world.comes({"+docker-in-2"}));
    one.root.listen("run/docker.sock");
    CHECK(world.comes({"+docker-in-2", "+docker-in-1"}));
}
