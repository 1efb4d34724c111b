// Lists and inspections, of a containerd that answers and of one that does otherwise.
#include <algorithm>
#include <string>

#include "containerd.pb.h"

#include "tests/faults/containerd_fixture.h"

using namespace shorewatch;
using namespace shorewatch::fakes;
using containerd::ContainerdOptions;
using Kind = EngineError::Kind;
using std::chrono::milliseconds;

namespace {

bool contains(const std::string& text, std::string_view part) {
    return text.find(part) != std::string::npos;
}

std::vector<std::string> ids_of(const Result<std::vector<ContainerPtr>>& list) {
    REQUIRE(list);
    std::vector<std::string> ids;
    for (const ContainerPtr& container : list.value())
        ids.push_back(container->id);
    std::ranges::sort(ids);
    return ids;
}

}  // namespace

TEST_CASE("a list has what is alive in all namespaces that are watched, in two calls each") {
    ContainerdFixture fixture;
    fixture.engine.put("default", {.id = "web", .labels = {{"nerdctl/name", "shop"}}, .pid = 41});
    fixture.engine.put("default", {.id = "frozen", .status = 4, .pid = 42});
    fixture.engine.put("default", {.id = "freezing", .status = 5, .pid = 43});
    fixture.engine.put("default", {.id = "created", .status = 1, .pid = 44});
    fixture.engine.put("default", {.id = "over", .status = 3, .pid = 45});
    fixture.engine.put("default", {.id = "never", .has_task = false});
    fixture.engine.put("other", {.id = "web", .pid = 46});
    fixture.engine.put("moby", {.id = "hidden"});
    fixture.engine.put("k8s.io", {.id = "hidden"});
    fixture.engine.put("empty", {});
    fixture.open();
    const auto list = fixture.list();
    CHECK(ids_of(list) ==
          std::vector<std::string>{"default/freezing", "default/frozen", "default/web", "other/web"});
    for (const ContainerPtr& container : list.value()) {
        CHECK(container->pid > 40);
        const bool frozen = container->id != "default/web" && container->id != "other/web";
        CHECK(container->paused == frozen);
        if (container->id == "default/web") CHECK(container->name == "shop");
    }
    CHECK(fixture.engine.calls("Namespaces/List") == 1);
    CHECK(fixture.engine.calls("Containers/ListStream") == 3);
    CHECK(fixture.engine.calls("Tasks/List") == 3);
    CHECK(fixture.engine.calls("Containers/Get") == 0);
}

TEST_CASE("namespaces that are named are listed without asking which there are") {
    ContainerdOptions options;
    options.namespaces = {"moby", "none"};
    ContainerdFixture fixture(options);
    fixture.engine.put("moby", {.id = "web"});
    fixture.engine.put("default", {.id = "hidden"});
    fixture.open();
    CHECK(ids_of(fixture.list()) == std::vector<std::string>{"moby/web"});
    CHECK(fixture.engine.calls("Namespaces/List") == 0);
}

TEST_CASE("no namespace is an empty list") {
    ContainerdFixture fixture;
    fixture.open();
    CHECK(ids_of(fixture.list()).empty());
}

TEST_CASE("labels that are no UTF-8, ids that are none and tasks without containers hide nothing else") {
    ContainerdFixture fixture;
    fixture.engine.put("default", {.id = "odd", .labels = {{"k\xff", "v\xc3("}, {"nerdctl/name", "\xfe"}}});
    fixture.engine.put("default", {.id = "bad/id"});
    fixture.engine.put("default", {.id = std::string("nul\0", 4)});
    fixture.engine.put("default", {.id = "good"});
    fixture.open();
    const auto list = fixture.list();
    CHECK(ids_of(list) == std::vector<std::string>{"default/good", "default/odd"});
    const auto odd = std::ranges::find(list.value(), "default/odd", [](const auto& c) { return c->id; });
    CHECK((*odd)->name == "\uFFFD");
    REQUIRE((*odd)->labels->find("k\uFFFD") != nullptr);
    CHECK(*(*odd)->labels->find("k\uFFFD") == "v\uFFFD(");
}

TEST_CASE("whatever part of a list fails, the list fails, once and with the reason") {
    const std::string method =
        GENERATE(as<std::string>{}, "Namespaces/List", "Containers/ListStream", "Tasks/List");
    CAPTURE(method);
    ContainerdOptions options;
    options.list_deadline = milliseconds(200);
    ContainerdFixture fixture(options);
    for (const char* name_space : {"default", "other"})
        fixture.engine.put(name_space, {.id = "web"});
    fixture.open();
    SECTION("with an error") {
        fixture.engine.refuse(method, 2, "the database is gone");
        const auto list = fixture.list();
        REQUIRE_FALSE(list);
        CHECK(list.error().kind == Kind::engine);
        CHECK(contains(list.error().message, "the database is gone"));
    }
    SECTION("with an error that would be something else of a container") {
        fixture.engine.refuse(method, 5);
        const auto list = fixture.list();
        REQUIRE_FALSE(list);
        CHECK(list.error().kind == Kind::engine);
    }
    SECTION("with what is no message") {
        fixture.engine.replace(method, [](const GrpcExchangePtr& e) { e->answer("\xff\xff\xff"); });
        const auto list = fixture.list();
        REQUIRE_FALSE(list);
        CHECK(list.error().kind == Kind::protocol);
    }
    SECTION("without an answer") {
        fixture.engine.hang(method);
        const auto list = fixture.list();
        REQUIRE_FALSE(list);
        CHECK(list.error().kind == Kind::timeout);
        CHECK(contains(list.error().message, "no answer within 0.2 s; does the engine hang?"));
    }
    // The stream is none the worse for it.
    fixture.engine.emit_start("default", "web");
    REQUIRE(fixture.wait_for_events(1));
}

TEST_CASE("a list without end is cut off") {
    ContainerdOptions options;
    options.most_containers = 10;
    options.most_namespaces = 3;
    ContainerdFixture fixture(options);
    SECTION("of containers") {
        for (int i = 0; i < 11; ++i)
            fixture.engine.put("default", {.id = "c" + std::to_string(i)});
    }
    SECTION("of namespaces") {
        for (int i = 0; i < 4; ++i)
            fixture.engine.put("n" + std::to_string(i), {});
    }
    fixture.open();
    const auto list = fixture.list();
    REQUIRE_FALSE(list);
    CHECK(list.error().kind == Kind::protocol);
    CHECK(contains(list.error().message, "more than"));
}

TEST_CASE("a container whose shim is silent is in the list, in outline, if it was known to live") {
    ContainerdFixture fixture;
    const auto own_pid = static_cast<std::uint32_t>(::getpid());
    fixture.engine.put("default", {.id = "web", .pid = own_pid});
    fixture.open();
    REQUIRE(ids_of(fixture.list()) == std::vector<std::string>{"default/web"});
    SECTION("containerd 1.7 leaves its task out") {
        fixture.engine.put("default", {.id = "web", .has_task = false});
    }
    SECTION("containerd 1.6 has it without a status") {
        fixture.engine.put("default", {.id = "web", .status = 0, .pid = 0});
        const auto inspection = fixture.inspect("default/web");
        REQUIRE_FALSE(inspection);
        CHECK(inspection.error().kind == Kind::engine);
        CHECK(contains(inspection.error().message, "does it hang?"));
    }
    const auto list = fixture.list();
    REQUIRE(ids_of(list) == std::vector<std::string>{"default/web"});
    CHECK(list.value()[0]->pid == 0);
}

TEST_CASE("one run has one start, whoever tells of it, and the next run has another") {
    ContainerdFixture fixture;
    const auto own_pid = static_cast<std::uint32_t>(::getpid());
    fixture.engine.put("default", {.id = "web", .pid = own_pid});
    fixture.open();
    const auto listed = fixture.list();
    REQUIRE(listed);
    REQUIRE(listed.value().size() == 1);
    const ContainerPtr first = listed.value()[0];
    REQUIRE(first->started);
    // The event of its start comes late.
    fixture.engine.emit_start("default", "web", own_pid);
    REQUIRE(fixture.wait_for_events(1));
    const auto inspected = fixture.inspect("default/web");
    REQUIRE(inspected);
    CHECK(inspected.value().alive);
    CHECK(inspected.value().container->started == first->started);
    CHECK(inspected.value().container->is_same_run(*first));
    // An end of another process than its own, told late, is none of its.
    fixture.engine.emit_exit("default", "web", 0);
    REQUIRE(fixture.wait_for_events(2));
    CHECK(fixture.inspect("default/web").value().container->started == first->started);
    // The next.
    const auto other_pid = static_cast<std::uint32_t>(::getppid());
    fixture.engine.put("default", {.id = "web", .pid = other_pid});
    fixture.engine.emit_start("default", "web", other_pid);
    REQUIRE(fixture.wait_for_events(3));
    const auto second = fixture.list();
    REQUIRE(second);
    CHECK_FALSE(second.value().at(0)->is_same_run(*first));
    CHECK(second.value().at(0)->started == fixture.observer.events[2].time);
}

TEST_CASE("an inspection tells of the living and of the dead") {
    ContainerdFixture fixture;
    fixture.engine.put("default",
                       {.id = "web", .labels = {{"com.docker.compose.project", "shop"}}, .pid = 77});
    fixture.engine.put("default", {.id = "frozen", .status = 4, .pid = 78});
    fixture.engine.put("default", {.id = "created", .status = 1, .pid = 79});
    fixture.engine.put("default", {.id = "over", .status = 3, .pid = 80, .exit_status = 137});
    fixture.engine.put("default", {.id = "never", .has_task = false});
    fixture.open();
    const auto web = fixture.inspect("default/web").value();
    CHECK(web.alive);
    CHECK(web.container->pid == 77);
    CHECK(web.container->project == "shop");
    CHECK(web.container->name == "web");
    CHECK(fixture.inspect("default/frozen").value().container->paused);
    const auto over = fixture.inspect("default/over").value();
    CHECK_FALSE(over.alive);
    CHECK(over.container->pid == 0);
    CHECK(over.exit_code == 137);
    CHECK(over.finished == RealTime{std::chrono::seconds(1000)});
    for (const char* id : {"default/created", "default/never"}) {
        const auto other = fixture.inspect(id).value();
        CHECK_FALSE(other.alive);
        CHECK_FALSE(other.exit_code);
        CHECK_FALSE(other.finished);
    }
}

TEST_CASE("a container that there isn't is not found") {
    ContainerdFixture fixture;
    fixture.engine.put("moby", {.id = "hidden"});
    fixture.open();
    for (const char* id : {"default/web", "moby/hidden", "web", "", "a/b/c", "default/", "/web"}) {
        CAPTURE(id);
        const auto inspection = fixture.inspect(id);
        REQUIRE_FALSE(inspection);
        CHECK(inspection.error().kind == Kind::not_found);
    }
    CHECK(contains(fixture.inspect("default/web").error().message,
                   "cannot inspect container default/web at unix://"));
}

TEST_CASE("an inspection that goes wrong says why, and harms no other") {
    ContainerdOptions options;
    options.inspect_deadline = milliseconds(200);
    ContainerdFixture fixture(options);
    for (const char* id : {"web", "other"})
        fixture.engine.put("default", {.id = id});
    fixture.open();
    SECTION("the record hangs") {
        fixture.engine.hang("Containers/Get");
        CHECK(fixture.inspect("default/web").error().kind == Kind::timeout);
        fixture.engine.restore("Containers/Get");
    }
    SECTION("the task hangs") {
        fixture.engine.hang("Tasks/Get");
        CHECK(fixture.inspect("default/web").error().kind == Kind::timeout);
        fixture.engine.restore("Tasks/Get");
    }
    SECTION("it is about another container") {
        fixture.engine.replace("Containers/Get",
                               [](const GrpcExchangePtr& e) { e->answer("\x0a\x03\x0a\x01x"); });
        CHECK(fixture.inspect("default/web").error().kind == Kind::protocol);
        fixture.engine.restore("Containers/Get");
    }
    SECTION("it is about nothing") {
        fixture.engine.replace("Tasks/Get", [](const GrpcExchangePtr& e) { e->answer(""); });
        CHECK(fixture.inspect("default/web").error().kind == Kind::protocol);
        fixture.engine.restore("Tasks/Get");
    }
    CHECK(fixture.inspect("default/other").value().alive);
}

TEST_CASE("without a stream nothing is asked for") {
    ContainerdFixture fixture;
    const auto list = fixture.list();
    REQUIRE_FALSE(list);
    CHECK(list.error().kind == Kind::unreachable);
    const auto inspection = fixture.inspect("default/web");
    REQUIRE_FALSE(inspection);
    CHECK(inspection.error().kind == Kind::unreachable);
}
