// From cgroups, pid namespaces and units to the containers that have them.
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "daemon/processes/process_index.h"
#include "tests/unit/catch.h"

using namespace shorewatch;

namespace {

using Entries = std::vector<ProcessIndex::Entry>;

const ProcessIndex::Entry web{"docker", "web"};
const ProcessIndex::Entry db{"podman", "db"};

InitProcess process(std::optional<Cgroup> cgroup, std::uint64_t pid_namespace = 0, std::string unit = {}) {
    return {{{4711, 1}, std::move(cgroup), pid_namespace, std::move(unit)}, UniqueFd(), {}};
}

}  // namespace

TEST_CASE("a process in a container's cgroup, or below it, is in that container") {
    ProcessIndex index;
    index.add(web, process(Cgroup{"", "/docker/web"}));
    CHECK(index.by_cgroups({{"", "/docker/web"}}) == Entries{web});
    CHECK(index.by_cgroups({{"", "/docker/web/below/that"}}) == Entries{web});
    CHECK(index.by_cgroups({{"", "/docker/website"}}).empty());
    CHECK(index.by_cgroups({{"", "/docker"}}).empty());
    CHECK(index.by_cgroups({{"", "/"}}).empty());
    CHECK(index.by_cgroups({}).empty());
}

TEST_CASE("a cgroup is looked up in its own hierarchy, and a path in all of them") {
    ProcessIndex index;
    index.add(web, process(Cgroup{"memory", "/a"}));
    index.add(db, process(Cgroup{"name=systemd", "/b"}));
    CHECK(index.by_cgroups({{"memory", "/a"}}) == Entries{web});
    CHECK(index.by_cgroups({{"cpu", "/a"}, {"", "/a"}}).empty());
    CHECK(index.by_cgroups({{"cpu", "/a"}, {"name=systemd", "/b/c"}}) == Entries{db});
    CHECK(index.by_cgroup_path("/a/below") == Entries{web});
    CHECK(index.by_cgroup_path("/b") == Entries{db});
    CHECK(index.by_cgroup_path("/a/") == Entries{web});
    CHECK(index.by_cgroup_path("/c").empty());
}

TEST_CASE("of containers in containers the innermost counts") {
    const auto [outer_at, inner_at] = GENERATE(table<std::string, std::string>(
        {{"", ""}, {"memory", "memory"}, {"memory", "name=systemd"}, {"name=systemd", "memory"}}));
    ProcessIndex index;
    index.add(web, process(Cgroup{outer_at, "/docker/web"}));
    index.add(db, process(Cgroup{inner_at, "/docker/web/libpod-db"}));
    const std::string path = "/docker/web/libpod-db/below";
    CHECK(index.by_cgroups({{outer_at, path}, {inner_at, path}}) == Entries{db});
    CHECK(index.by_cgroups({{inner_at, path}, {outer_at, path}}) == Entries{db});
    CHECK(index.by_cgroup_path(path) == Entries{db});
    CHECK(index.by_cgroup_path("/docker/web/other") == Entries{web});
}

TEST_CASE("containers that share a cgroup, a pid namespace or a unit are all told") {
    ProcessIndex index;
    index.add(web, process(Cgroup{"", "/pod"}, 7, "pod.service"));
    index.add(db, process(Cgroup{"", "/pod"}, 7, "pod.service"));
    CHECK(index.by_cgroups({{"", "/pod/a"}}) == Entries{web, db});
    CHECK(index.by_cgroup_path("/pod") == Entries{web, db});
    CHECK(index.by_pid_namespace(7) == Entries{web, db});
    CHECK(index.by_unit("pod.service") == Entries{web, db});
    CHECK(index.by_pid(4711) == Entries{web, db});
}

TEST_CASE("a container is found by its pid namespace and its unit, if it has them") {
    ProcessIndex index;
    index.add(web, process({}, 7, "web.service"));
    index.add(db, process({}));
    CHECK(index.by_pid_namespace(7) == Entries{web});
    CHECK(index.by_pid_namespace(8).empty());
    CHECK(index.by_pid_namespace(0).empty());
    CHECK(index.by_unit("web.service") == Entries{web});
    CHECK(index.by_unit("web").empty());
    CHECK(index.by_unit("").empty());
}

TEST_CASE("a container that is gone is found by nothing, and those that shared with it still are") {
    ProcessIndex index;
    const InitProcess first = process(Cgroup{"", "/pod"}, 7, "pod.service");
    const InitProcess second = process(Cgroup{"", "/pod"}, 7, "pod.service");
    index.add(web, first);
    index.add(db, second);
    index.remove(web, first);
    CHECK(index.by_cgroups({{"", "/pod"}}) == Entries{db});
    CHECK(index.by_pid_namespace(7) == Entries{db});
    CHECK(index.by_unit("pod.service") == Entries{db});
    CHECK(index.by_pid(4711) == Entries{db});
    index.remove(db, second);
    CHECK(index.by_cgroups({{"", "/pod"}}).empty());
    CHECK(index.by_cgroup_path("/pod").empty());
    CHECK(index.by_pid_namespace(7).empty());
    CHECK(index.by_unit("pod.service").empty());
    CHECK(index.by_pid(4711).empty());
    // Nor is it an error to remove what is not there.
    index.remove(db, second);
    index.add(web, first);
    CHECK(index.by_cgroup_path("/pod/a") == Entries{web});
}

TEST_CASE("the same id of two engines is two containers") {
    ProcessIndex index;
    const ProcessIndex::Entry same{"podman", "web"};
    const InitProcess one = process(Cgroup{"", "/docker/web"});
    const InitProcess another = process(Cgroup{"", "/machine.slice/web"});
    index.add(web, one);
    index.add(same, another);
    index.remove(same, one);  // of neither: it has another cgroup
    CHECK(index.by_cgroup_path("/docker/web") == Entries{web});
    CHECK(index.by_cgroup_path("/machine.slice/web") == Entries{same});
}

TEST_CASE("a text that is no path is in no cgroup") {
    ProcessIndex index;
    index.add(web, process(Cgroup{"", "/a"}));
    CHECK(index.by_cgroup_path("").empty());
    CHECK(index.by_cgroup_path("a").empty());
    CHECK(index.by_cgroup_path("system.slice/a").empty());
    CHECK(index.by_cgroup_path("//a").empty());
    CHECK(index.by_cgroups({{"", "a"}}).empty());
}
