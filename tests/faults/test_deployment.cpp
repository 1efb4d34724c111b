// What Docker's and Podman's clients do with containers and volumes for whoever deploys: what they ask, what
// answers mean, and what is made of bad ones.
#include "tests/faults/deployment_service.h"

using namespace shorewatch;
using namespace shorewatch::test;
using Catch::Matchers::ContainsSubstring;
using fakes::drive;
using Kind = EngineError::Kind;

TEST_CASE("dockerd is asked to make a container as its API has it") {
    Service service(docker_words);
    service.answers["POST /containers/create"] = {201, R"({"Id":"1234","Warnings":[]})"};
    ContainerPlan plan = whole_plan();
    plan.links = {{"bbbb", "db"}};
    plan.mounts.push_back({"/with:colon", "/x", false});
    CHECK(service.create(plan).value() == "1234");
    REQUIRE(service.asked.size() == 1);
    CHECK(service.asked[0].parameter("name") == "shorewatch-web-1");
    CHECK(service.asked[0].headers.at("content-type") == "application/json");
    CHECK(service.asked[0].headers.count("expect") == 0);
    CHECK(service.asked[0].body ==
          R"({"Image":"127.0.0.1:5000/web:2","Entrypoint":["/bin/web","--serve"],"Cmd":["now"],)"
          R"("Env":["A=b=c"],"Labels":{"k":"v"},"ExposedPorts":{"80/tcp":{},"53/udp":{}},)"
          R"("HostConfig":{"CpuShares":100,"Memory":67108864,"MemoryReservation":33554432,)"
          R"("Links":["bbbb:db"],"VolumesFrom":["cccc:ro"],)"
          R"("Binds":["/host:/inside:ro","scratch:/scratch:rw"],)"
          R"("Mounts":[{"Type":"bind","Source":"/with:colon","Target":"/x","ReadOnly":false}],)"
          R"("PortBindings":{"53/udp":[{"HostPort":""}],"80/tcp":[{"HostPort":"8080"}]}}})");
}

TEST_CASE("Podman is asked to make a container as its API has it, with hosts for links") {
    Service service(podman_words);
    service.answers["POST /containers/create"] = {201, R"({"Id":"1234","Warnings":[]})"};
    service.answers["GET /containers/bbbb/json"] = {
        200, R"({"NetworkSettings":{"IPAddress":"","Networks":{"podman":{"IPAddress":"10.88.0.7"}}}})"};
    service.answers["GET /containers/eeee/json"] = {200, R"({"NetworkSettings":{"IPAddress":""}})"};
    ContainerPlan plan = whole_plan();
    plan.links = {{"bbbb", "db"}, {"eeee", "hostly"}};
    CHECK(service.create(plan).value() == "1234");
    REQUIRE(service.asked.size() == 3);
    CHECK(service.asked[2].body ==
          R"({"name":"shorewatch-web-1","image":"127.0.0.1:5000/web:2",)"
          R"("entrypoint":["/bin/web","--serve"],"command":["now"],"env":{"A":"b=c"},"labels":{"k":"v"},)"
          R"("resource_limits":{"cpu":{"shares":100},"memory":{"limit":67108864,"reservation":33554432}},)"
          R"("volumes_from":["cccc:ro"],)"
          R"("mounts":[{"type":"bind","source":"/host","destination":"/inside","options":["rbind","ro"]}],)"
          R"("volumes":[{"Name":"scratch","Dest":"/scratch","Options":["rw"]}],)"
          R"("portmappings":[{"container_port":80,"host_port":8080,"protocol":"tcp"},)"
          R"({"container_port":53,"host_port":0,"protocol":"udp"}],"hostadd":["db:10.88.0.7"]})");
    SECTION("and none is made that links to what is not there") {
        plan.links = {{"gone", "db"}};
        CHECK(service.create(plan).error().kind == Kind::not_found);
        CHECK(service.asked.size() == 4);
    }
}

TEST_CASE("what a plan does not say is left to the engine") {
    const Dialect& dialect = any_dialect();
    Service service(dialect);
    service.answers["POST /containers/create"] = {201, R"({"Id":"1234"})"};
    ContainerPlan plan;
    plan.name = "a";
    plan.image = "b";
    CHECK(service.create(plan));
    for (const char* word : {"Entrypoint", "entrypoint", "Cmd", "command", "Memory", "resource_limits"})
        CHECK_THAT(service.asked[0].body, !ContainsSubstring(word));
}

TEST_CASE("credentials go to the engine as it wants them, and into no error") {
    const Dialect& dialect = any_dialect();
    Service service(dialect);
    service.answers[service.pull_key()] = Service::progress(R"({"error":"unauthorized"})");
    const auto error = service.pull("h/web", RegistryCredentials{"me", "s?~>ecret"});
    REQUIRE(error);
    CHECK_THAT(error->message, ContainsSubstring("cannot pull image h/web") &&
                                   ContainsSubstring("unauthorized") && !ContainsSubstring("ecret"));
    CHECK(service.asked[0].headers.at("x-registry-auth") ==
          "eyJ1c2VybmFtZSI6Im1lIiwicGFzc3dvcmQiOiJzP34-ZWNyZXQifQ==");
}

TEST_CASE("an answer may come after the client was destroyed by another") {
    const Dialect& dialect = any_dialect();
    Service service(dialect);
    service.answers[service.pull_key()] = Service::progress("{}");
    bool called = false;
    service.deployment().pull("h/web", {}, [&](const auto&) {
        called = true;
        service.client.reset();
    });
    REQUIRE(drive(service.loop, [&] { return called; }));
}

TEST_CASE("what an engine refuses to make has its kind, and its words") {
    const Dialect& dialect = any_dialect();
    Service service(dialect);
    const auto [status, words, kind] = GENERATE(table<int, std::string, Kind>({
        {404, "No such image: web:latest", Kind::no_image},
        {500, "web: image not known", Kind::no_image},
        {409, "Conflict. The container name is already in use by container x", Kind::conflict},
        {500, "creating container storage: the container name is already in use by x", Kind::conflict},
        {404, "No such container: bbbb", Kind::engine},
        {500, "no space left on device", Kind::engine},
        {400, "invalid mount config", Kind::engine},
    }));
    service.answers["POST /containers/create"] = {status, refusal(words)};
    const auto error = service.create({.name = "web", .image = "web"}).error();
    CHECK(error.kind == kind);
    CHECK_THAT(error.message,
               ContainsSubstring("cannot create container web at unix://") && ContainsSubstring(words));
}

TEST_CASE("an answer to a creation without an id is an error") {
    const Dialect& dialect = any_dialect();
    Service service(dialect);
    for (const char* body : {"", "{", "[]", "{}", R"({"Id":7})", R"({"Id":""})", "\xff"}) {
        service.answers["POST /containers/create"] = {201, body};
        CHECK(service.create({.name = "web", .image = "web"}).error().kind == Kind::protocol);
    }
}

TEST_CASE("what runs already was started, and what is not there is told") {
    const Dialect& dialect = any_dialect();
    Service service(dialect);
    const std::string path = "POST /containers/" + id_of_web + "/start";
    const auto started = [&](int status, const std::string& words) {
        service.answers[path] = {status, status < 400 ? "" : refusal(words)};
        const auto error = service.start();
        return error ? std::optional(error->kind) : std::nullopt;
    };
    CHECK(started(204, "") == std::nullopt);
    CHECK(started(304, "") == std::nullopt);
    CHECK(started(404, "No such container: x") == Kind::not_found);
    CHECK(started(404, "no container with name or ID x found: no such container") == Kind::not_found);
    CHECK(started(404, "network n not found") == Kind::engine);
    CHECK(started(400, "exec: /nosuch: no such file or directory") == Kind::engine);
    CHECK(started(500, "port is already allocated") == Kind::engine);
    CHECK(started(409, "is marked for removal") == Kind::conflict);
}

TEST_CASE("a container is told as it is") {
    const Dialect& dialect = any_dialect();
    Service service(dialect);
    const std::string path = "GET /containers/web/json";
    using State = DeployedContainer::State;
    const auto told = [&](const std::string& state) {
        service.answers[path] = {200, deployed(state)};
        return service.inspect("web").value();
    };
    for (const char* word : {"created", "configured", "initialized"})
        CHECK(told(R"("Status":")" + std::string(word) + "\"").state == State::created);
    for (const char* word : {"running", "paused", "restarting", "stopping"})
        CHECK(told(R"("Status":")" + std::string(word) + "\"").state == State::running);
    for (const char* word : {"stopped", "exited", "dead", "removing"})
        CHECK(told(R"("Status":")" + std::string(word) + "\"").state == State::stopped);

    const auto running = told(R"("Status":"running","ExitCode":0,"StartedAt":"2026-11-22T03:31:58Z")");
    CHECK(running.id == id_of_web);
    CHECK(running.name == "web");
    CHECK(running.labels == StringPairs{{"k", "v"}});
    CHECK(running.started == RealTime{std::chrono::seconds(1795318318)});
    CHECK_FALSE(running.exit_code);
    CHECK(running.ports == std::vector<PortMapping>{{80, 8080, PortMapping::Protocol::tcp}});

    const auto over = told(
        R"("Status":"exited","ExitCode":137,"OOMKilled":true,"Error":"","FinishedAt":"2026-11-22T03:31:58Z")");
    CHECK(over.exit_code == 137);
    CHECK(over.oom_killed);
    CHECK(over.finished);
    CHECK(over.ports.empty());
    CHECK_FALSE(told(R"("Status":"exited","ExitCode":-1)").exit_code);
    CHECK(told(R"("Status":"created","Error":"exec: no such file","ExitCode":127)").error ==
          "exec: no such file");
}

TEST_CASE("another container that answers to the name is not taken for it") {
    const Dialect& dialect = any_dialect();
    Service service(dialect);
    service.answers["GET /containers/aaaa/json"] = {200, deployed(R"("Status":"running")")};
    CHECK(service.inspect("aaaa").error().kind == Kind::not_found);
    CHECK(service.inspect("gone").error().kind == Kind::not_found);
    for (const char* body : {"", "[]", "{}", R"({"Id":"aaaa"})", R"({"Id":"aaaa","State":[]})", "{\"Id\":"}) {
        service.answers["GET /containers/aaaa/json"] = {200, body};
        CHECK(service.inspect("aaaa").error().kind == Kind::protocol);
    }
}

TEST_CASE("containers are found by a label, alive or not") {
    const Dialect& dialect = any_dialect();
    Service service(dialect);
    service.answers["GET /containers/json"] = {
        200, R"([{"Id":"1","Names":["/other/db","/web"],"Labels":{"k":"v"},"State":"exited"},7,{"Id":""},
                {"Id":"2","Names":["db"],"Labels":null,"State":"running"},{"Id":"3","Names":[],"State":5}])"};
    const auto found = service.find("k=v").value();
    CHECK(service.asked[0].parameter("all") == "true");
    CHECK(service.asked[0].parameter("filters") == R"({"label":["k=v"]})");
    REQUIRE(found.size() == 3);
    CHECK(found[0].name == "web");
    CHECK(found[0].labels == StringPairs{{"k", "v"}});
    CHECK(found[0].state == DeployedContainer::State::stopped);
    CHECK(found[1].name == "db");
    CHECK(found[1].state == DeployedContainer::State::running);
    service.answers["GET /containers/json"] = {200, "{}"};
    CHECK(service.find("k").error().kind == Kind::protocol);
    service.answers["GET /containers/json"] = {404, refusal("page not found")};
    CHECK(service.find("k").error().kind == Kind::engine);
}

TEST_CASE("removal is at once, and with what belongs to it") {
    const Dialect& dialect = any_dialect();
    Service service(dialect);
    const std::string path = "DELETE /containers/" + id_of_web;
    service.answers[path] = {204, ""};
    CHECK_FALSE(service.remove());
    CHECK(service.asked[0].parameter("force") == "true");
    CHECK(service.asked[0].parameter("v") == "true");
    if (dialect.name == "podman") CHECK(service.asked[0].parameter("timeout") == "0");
    service.answers[path] = {200, R"([{"Id":"a","RawInput":"a"}])"};
    CHECK_FALSE(service.remove());
    service.answers[path] = {200, R"([{"Id":"a","Err":"cannot remove: busy"}])"};
    CHECK_THAT(service.remove()->message, ContainsSubstring("busy"));
    service.answers[path] = {409, refusal("removal is already in progress")};
    CHECK(service.remove()->kind == Kind::conflict);
    service.answers.clear();
    CHECK(service.remove()->kind == Kind::not_found);
}

TEST_CASE("a volume that is there already was made, and one in use stays") {
    const Dialect& dialect = any_dialect();
    Service service(dialect);
    service.answers["POST /volumes/create"] = {201, R"({"Name":"v"})"};
    CHECK_FALSE(service.create_volume());
    CHECK(service.asked[0].body == R"({"Name":"v","Labels":{"a":"b"}})");
    service.answers["POST /volumes/create"] = {
        500, refusal("volume with name v already exists: volume already exists")};
    CHECK_FALSE(service.create_volume());
    service.answers["POST /volumes/create"] = {500, refusal("no space left on device")};
    CHECK(service.create_volume()->kind == Kind::engine);
    service.answers["DELETE /volumes/v"] = {204, ""};
    CHECK_FALSE(service.remove_volume());
    service.answers["DELETE /volumes/v"] = {409, refusal("volume is in use")};
    CHECK(service.remove_volume()->kind == Kind::conflict);
    service.answers["DELETE /volumes/v"] = {404, refusal("no such volume")};
    CHECK(service.remove_volume()->kind == Kind::not_found);
}

TEST_CASE("what is made and removed is asked for once, also when the connection breaks") {
    const Dialect& dialect = any_dialect();
    Service service(dialect);
    service.answers["POST /containers/create"] = {.body = "", .raw = true};
    CHECK(service.create({.name = "web", .image = "web"}).error().kind == Kind::unreachable);
    CHECK(service.asked.size() == 1);
    service.answers[service.pull_key()] = {.body = "", .raw = true};
    CHECK(service.pull("h/web")->kind == Kind::unreachable);
}
