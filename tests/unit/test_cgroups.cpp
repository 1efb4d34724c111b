// Which cgroups a process is in, and which of them is its container's own, as the engines name them.
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <unistd.h>

#include "daemon/processes/cgroups.h"
#include "tests/unit/catch.h"
#include "tests/unit/child_process.h"

using namespace shorewatch;

namespace {

const std::string id = "4f5e1c0aa7f19cbd0f9f2c42ae1c4f4f3b1d9b4a2f0ce9d7a6b5c4d3e2f10987";
const std::string other_id = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

std::vector<Cgroup> unified(const std::string& path) {
    return {{"", path}};
}

std::string named(const std::string& path, std::string_view container) {
    const std::optional<Cgroup> found = named_after(unified(path), container);
    return found ? found->path : "none";
}

}  // namespace

TEST_CASE("the cgroups of a process are read as the kernel writes them") {
    CHECK(parse_cgroups("0::/system.slice/docker.service\n") ==
          std::vector<Cgroup>{{"", "/system.slice/docker.service"}});
    CHECK(parse_cgroups("12:cpu,cpuacct:/docker/a\n1:name=systemd:/docker/a\n") ==
          std::vector<Cgroup>{{"cpu,cpuacct", "/docker/a"}, {"name=systemd", "/docker/a"}});
    CHECK(parse_cgroups("4:memory:/docker/a\n1:name=systemd:/docker/a\n0::/docker/a\n") ==
          std::vector<Cgroup>{{"memory", "/docker/a"}, {"name=systemd", "/docker/a"}, {"", "/docker/a"}});
    // The last line's end may be missing, and a path may hold what else is between the fields.
    CHECK(parse_cgroups("0::/system.slice:docker:a") == std::vector<Cgroup>{{"", "/system.slice:docker:a"}});
    CHECK(parse_cgroups("0::/\n") == std::vector<Cgroup>{{"", "/"}});
}

TEST_CASE("a cgroup that was removed under its process has the name that it had") {
    CHECK(parse_cgroups("0::/docker/a (deleted)\n") == std::vector<Cgroup>{{"", "/docker/a"}});
    CHECK(parse_cgroups("0::/docker (deleted)/a\n") == std::vector<Cgroup>{{"", "/docker (deleted)/a"}});
}

TEST_CASE("a cgroup outside of our namespace's root is read as it is told") {
    CHECK(parse_cgroups("0::/../../docker/a\n") == std::vector<Cgroup>{{"", "/../../docker/a"}});
}

TEST_CASE("lines that tell no cgroup are left out, and the others are read") {
    CHECK(parse_cgroups("").empty());
    for (const char* nonsense : {"\n", "\n\n\n", "garbage\n", "0\n", "0:\n", "0:\n\n", "0::\n", "0:cpu:\n",
                                 "0::relative\n", "::", ":", "0::"}) {
        INFO(nonsense);
        CHECK(parse_cgroups(nonsense).empty());
        CHECK(parse_cgroups(std::string(nonsense) + "\n0::/a\n") == std::vector<Cgroup>{{"", "/a"}});
        CHECK(parse_cgroups(std::string("0::/a\n") + nonsense) == std::vector<Cgroup>{{"", "/a"}});
    }
}

TEST_CASE("a process has cgroups, and what is gone has none") {
    ChildProcess child;
    const std::uint32_t pid = child.pid();
    const auto cgroups = cgroups_of(pid);
    CHECK_FALSE(cgroups.empty());
    CHECK(cgroups == cgroups_of(static_cast<std::uint32_t>(::getpid())));
    child.end();
    CHECK(cgroups_of(pid).empty());
}

TEST_CASE("a cgroup holds itself and what is below it, and not what only begins with its name") {
    CHECK(is_within("/docker/a", "/docker/a"));
    CHECK(is_within("/docker/a/b/c", "/docker/a"));
    CHECK(is_within("/docker/a", "/"));
    CHECK(is_within("/", "/"));
    CHECK_FALSE(is_within("/docker/ab", "/docker/a"));
    CHECK_FALSE(is_within("/docker", "/docker/a"));
    CHECK_FALSE(is_within("/", "/docker"));
    CHECK_FALSE(is_within("/podman/a", "/docker/a"));
}

TEST_CASE("a container's cgroup is found by its id, as each engine and driver names it") {
    // Docker, with both drivers.
    CHECK(named("/docker/" + id, id) == "/docker/" + id);
    CHECK(named("/system.slice/docker-" + id + ".scope", id) == "/system.slice/docker-" + id + ".scope");
    CHECK(named("/lab.slice/docker-" + id + ".scope", id) == "/lab.slice/docker-" + id + ".scope");
    // Podman: with systemd and without, split in two below a service, and of a user.
    const std::string libpod = "/machine.slice/libpod-" + id + ".scope";
    CHECK(named(libpod, id) == libpod);
    CHECK(named("/libpod_parent/libpod-" + id, id) == "/libpod_parent/libpod-" + id);
    CHECK(named("/system.slice/web.service/libpod-payload-" + id, id) ==
          "/system.slice/web.service/libpod-payload-" + id);
    const std::string users = "/user.slice/user-1000.slice/user@1000.service/user.slice/libpod-" + id;
    CHECK(named(users + ".scope", id) == users + ".scope");
    // Kubernetes, with both drivers of containerd and CRI-O.
    const std::string pod = "/kubepods.slice/kubepods-besteffort.slice/kubepods-besteffort-pod1_2.slice/";
    CHECK(named(pod + "cri-containerd-" + id + ".scope", id) == pod + "cri-containerd-" + id + ".scope");
    CHECK(named(pod + "crio-" + id + ".scope", id) == pod + "crio-" + id + ".scope");
    CHECK(named("/kubepods/besteffort/pod1-2/" + id, id) == "/kubepods/besteffort/pod1-2/" + id);
    CHECK(named("/kubepods/burstable/pod1-2/crio-" + id, id) == "/kubepods/burstable/pod1-2/crio-" + id);
    // A systemd driver's name that was taken for a path.
    const std::string colons = "/system.slice/containerd.service/kubepods-pod1_2.slice:cri-containerd:" + id;
    CHECK(named(colons, id) == colons);
    // containerd: the id as Container has it is NAMESPACE/ID.
    CHECK(named("/default/" + id, "default/" + id) == "/default/" + id);
    CHECK(named("/k8s.io/" + id, "k8s.io/" + id) == "/k8s.io/" + id);
    CHECK(named("/system.slice/nerdctl-" + id + ".scope", "default/" + id) ==
          "/system.slice/nerdctl-" + id + ".scope");
}

TEST_CASE("what a container makes below its cgroup is not taken for that cgroup") {
    CHECK(named("/docker/" + id + "/init.scope", id) == "/docker/" + id);
    CHECK(named("/machine.slice/libpod-" + id + ".scope/container", id) ==
          "/machine.slice/libpod-" + id + ".scope");
    CHECK(named("/machine.slice/libpod-" + id + ".scope/container/system.slice/a.service", id) ==
          "/machine.slice/libpod-" + id + ".scope");
}

TEST_CASE("of several ids in a path each container has its own cgroup") {
    // Podman's pods, and containers in containers.
    const std::string pod = "/machine.slice/machine-libpod_pod_" + other_id + ".slice";
    CHECK(named(pod + "/libpod-" + id + ".scope/container", id) == pod + "/libpod-" + id + ".scope");
    const std::string nested = "/docker/" + other_id + "/docker/" + id;
    CHECK(named(nested, id) == nested);
    CHECK(named(nested, other_id) == "/docker/" + other_id);
    // The innermost of the same name: a container can't leave it.
    CHECK(named("/docker/" + id + "/docker/" + id, id) == "/docker/" + id + "/docker/" + id);
}

TEST_CASE("a cgroup named after another container, or after none, is not taken for this one's") {
    CHECK(named("/docker/" + other_id, id) == "none");
    CHECK(named("/", id) == "none");
    CHECK(named("/system.slice/docker.service", id) == "none");
    CHECK(named("/docker/" + id.substr(0, 12), id) == "none");
    CHECK(named("/docker/" + id, "") == "none");
    CHECK(named("/docker/" + id, "default/") == "none");
    CHECK_FALSE(named_after({}, id));
    CHECK_FALSE(named_after(parse_cgroups("garbage"), id));
}

TEST_CASE("a short id, as users of containerd choose them, is found only where it is a whole name") {
    CHECK(named("/default/web", "default/web") == "/default/web");
    CHECK(named("/webapps/web", "webapps/web") == "/webapps/web");
    CHECK(named("/webapps/website", "webapps/web") == "none");
    CHECK(named("/system.slice/web.service", "default/web") == "none");
    CHECK(named("/default/default", "default/default") == "/default/default");
    CHECK(named("/default/a", "default/def") == "none");
    CHECK(named("/default/a/below/b", "default/a") == "/default/a");
}

TEST_CASE("a path outside of our namespace's root is looked at as any other") {
    CHECK(named("/../../docker/" + id, id) == "/../../docker/" + id);
    CHECK(named("/../..", id) == "none");
}

TEST_CASE("Podman's monitor of a container is outside of that container's cgroup") {
    const std::string container = "/machine.slice/libpod-" + id + ".scope";
    const std::string monitor = "/machine.slice/libpod-conmon-" + id + ".scope";
    REQUIRE(named(container + "/container", id) == container);
    CHECK_FALSE(is_within(monitor, container));
}

TEST_CASE("where there are several hierarchies, v2 is asked first, then systemd's") {
    const std::string path = "/docker/" + id;
    const Cgroup v2{"", path};
    const Cgroup systemd{"name=systemd", path};
    const Cgroup memory{"memory", path};
    CHECK(named_after({memory, systemd, v2}, id) == v2);
    CHECK(named_after({memory, systemd, {"", "/"}}, id) == systemd);
    CHECK(named_after({memory, {"name=systemd", "/system.slice/docker.service"}, {"", "/"}}, id) == memory);
}

TEST_CASE("a cgroup under whatever name is a container's own if its parent process is in another") {
    const std::vector<Cgroup> shim = unified("/system.slice/containerd.service");
    CHECK(apart_from(unified("/lab/db"), shim) == Cgroup{"", "/lab/db"});
    CHECK(apart_from(unified("/system.slice/containerd.service/db"), shim) ==
          Cgroup{"", "/system.slice/containerd.service/db"});
    // systemd in a container goes below.
    CHECK(apart_from(unified("/lab/db/init.scope"), shim) == Cgroup{"", "/lab/db"});
}

TEST_CASE("a cgroup that is shared with the parent process, or the root, is no container's own") {
    const std::vector<Cgroup> shim = unified("/system.slice/containerd.service");
    CHECK_FALSE(apart_from(shim, shim));
    CHECK_FALSE(apart_from(unified("/system.slice"), shim));
    CHECK_FALSE(apart_from(unified("/"), shim));
    CHECK_FALSE(apart_from(unified("/init.scope"), shim));
    CHECK_FALSE(apart_from({}, shim));
    // Nothing is known of the parent, or not in this hierarchy.
    CHECK_FALSE(apart_from(unified("/lab/db"), {}));
    CHECK_FALSE(apart_from(unified("/lab/db"), {{"memory", "/"}}));
    // Outside of our cgroup namespace.
    CHECK_FALSE(apart_from(unified("/../lab/db"), shim));
    CHECK_FALSE(apart_from(unified("/.."), shim));
}

TEST_CASE("being apart in one of several hierarchies is enough") {
    const std::vector<Cgroup> shim{{"memory", "/"}, {"name=systemd", "/system.slice/a"}, {"", "/"}};
    CHECK(apart_from({{"memory", "/lab"}, {"name=systemd", "/system.slice/a"}, {"", "/"}}, shim) ==
          Cgroup{"memory", "/lab"});
    CHECK(apart_from({{"memory", "/lab"}, {"name=systemd", "/lab"}, {"", "/"}}, shim) ==
          Cgroup{"name=systemd", "/lab"});
}
