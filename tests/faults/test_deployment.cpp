// What Docker's and Podman's clients do for whoever deploys: what they ask, what answers mean, and what is
// made of bad ones.
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "engines/docker/docker_client.h"
#include "engines/http/json.h"
#include "engines/podman/podman_client.h"
#include "tests/fakes/leak_check.h"
#include "tests/fakes/recording_observer.h"
#include "tests/unit/catch.h"
#include "tests/unit/http_test_server.h"

using namespace shorewatch;
using namespace shorewatch::test;
using Catch::Matchers::ContainsSubstring;
using fakes::drive;
using Kind = EngineError::Kind;
using Done = std::optional<EngineError>;

namespace {

const std::string id_of_web(64, 'a');

// One engine's words for what both do.
struct Dialect {
    std::string name;
    std::string root;  // of the paths, version included
    std::string pull;  // the path
    std::unique_ptr<EngineClient> (*make)(EventLoop&, const Endpoint&);
};
const Dialect docker_words{
    "docker", "/v1.41", "/images/create", [](EventLoop& loop, const Endpoint& endpoint) {
        return std::unique_ptr<EngineClient>(std::make_unique<docker::DockerClient>(loop, endpoint));
    }};
const Dialect podman_words{
    "podman", "/v4.0.0/libpod", "/images/pull", [](EventLoop& loop, const Endpoint& endpoint) {
        rest::Options options = podman::default_options();
        options.late_head = {};
        return std::unique_ptr<EngineClient>(std::make_unique<podman::PodmanClient>(loop, endpoint, options));
    }};

// An engine that answers what a test says, and remembers what it was asked.
struct Service {
    struct Answer {
        int status = 200;
        std::string body = {};
        bool raw = false;    // body is all of the response, after which the connection is closed
        bool never = false;  // the connection stays
    };

    fakes::LeakCheck leaks;
    const Dialect& words;
    EventLoop loop;
    std::map<std::string, Answer> answers;  // by method, blank and path below the root
    std::vector<HttpRequest> asked;         // but for what opens the stream
    std::vector<HttpConnectionPtr> held;
    TestServer server{loop,
                      [this](const auto& connection, const auto& request) { serve(connection, request); }};
    fakes::RecordingObserver observer;
    std::unique_ptr<EngineClient> client;

    explicit Service(const Dialect& dialect) : words(dialect), client(dialect.make(loop, server.endpoint())) {
        client->lifecycle_events({}, observer);
        REQUIRE(drive(loop, [&] { return observer.opens == 1; }));
    }
    Service(const Service&) = delete;
    Service& operator=(const Service&) = delete;
    ~Service() { held.clear(); }

    EngineDeployment& deployment() { return *client->deployment(); }

    // Has something asked, and waits for its answer.
    template <typename Value>
    Value ask(const std::function<void(std::function<void(Value)>)>& call) {
        std::optional<Value> answer;
        call([&](Value value) { answer = std::move(value); });
        CHECK_FALSE(answer);
        REQUIRE(drive(loop, [&] { return answer.has_value(); }));
        return *std::move(answer);
    }
    Done pull(const std::string& image, const std::optional<RegistryCredentials>& credentials = {}) {
        return ask<Done>([&](auto reply) { deployment().pull(image, credentials, reply); });
    }
    Result<std::string> create(const ContainerPlan& plan) {
        return ask<Result<std::string>>([&](auto reply) { deployment().create(plan, reply); });
    }
    Done start() {
        return ask<Done>([&](auto reply) { deployment().start(id_of_web, reply); });
    }
    Result<DeployedContainer> inspect(const std::string& name) {
        return ask<Result<DeployedContainer>>([&](auto reply) { deployment().inspect(name, reply); });
    }
    Result<std::vector<DeployedContainer>> find(const std::string& label) {
        return ask<Result<std::vector<DeployedContainer>>>(
            [&](auto reply) { deployment().find_containers(label, reply); });
    }
    Done remove() {
        return ask<Done>([&](auto reply) { deployment().remove(id_of_web, reply); });
    }
    Done create_volume() {
        return ask<Done>([&](auto reply) { deployment().create_volume("v", {{"a", "b"}}, reply); });
    }
    Done remove_volume() {
        return ask<Done>([&](auto reply) { deployment().remove_volume("v", reply); });
    }
    Done find_image(const std::string& image) {
        return ask<Done>([&](auto reply) { deployment().find_image(image, reply); });
    }
    Result<std::vector<DeployedImage>> list_images() {
        return ask<Result<std::vector<DeployedImage>>>([&](auto reply) { deployment().list_images(reply); });
    }
    std::string pull_key() const { return "POST " + words.pull; }
    // A pull's answer, chunked as engines send it.
    static Answer progress(const std::string& text) {
        return {.body = stream_head + fakes::chunk(text) + fakes::chunk(""), .raw = true};
    }

  private:
    void serve(const HttpConnectionPtr& connection, const HttpRequest& request) {
        if (request.path.ends_with("/_ping")) {
            connection->write("HTTP/1.1 200 OK\r\nApi-Version: 1.41\r\n" +
                              std::string(words.name == "podman" ? "Libpod-Api-Version: 4.3.1\r\n" : "") +
                              "Content-Length: 2\r\n\r\nOK");
            return connection->end_response();
        }
        if (request.path.ends_with("/info")) return answer(connection, 500, "");
        if (request.path.ends_with("/events")) {
            held.push_back(connection);
            return connection->write(stream_head);
        }
        asked.push_back(request);
        REQUIRE(request.path.starts_with(words.root));
        const auto found = answers.find(request.method + " " + request.path.substr(words.root.size()));
        if (found == answers.end()) return answer(connection, 404, R"({"message":"no such container"})");
        const Answer& one = found->second;
        if (one.never) return held.push_back(connection);
        one.raw ? answer_raw(connection, one.body) : answer(connection, one.status, one.body);
    }
};

std::string refusal(const std::string& message) {
    return R"({"message":")" + message + R"("})";
}

ContainerPlan whole_plan() {
    ContainerPlan plan;
    plan.name = "shorewatch-web-1";
    plan.image = "127.0.0.1:5000/web:2";
    plan.entry_point = {"/bin/web", "--serve"};
    plan.command = {"now"};
    plan.environment = {{"A", "b=c"}};
    plan.labels = {{"k", "v"}};
    plan.cpu_shares = 100;
    plan.memory_bytes = 64 << 20;
    plan.memory_reservation_bytes = 32 << 20;
    plan.volumes_from = {{"cccc", true}};
    plan.mounts = {{"/host", "/inside", true}, {"scratch", "/scratch", false}};
    plan.ports = {{80, 8080, PortMapping::Protocol::tcp}, {53, 0, PortMapping::Protocol::udp}};
    return plan;
}

std::string deployed(const std::string& state) {
    return R"({"Id":")" + id_of_web + R"(","Name":"/web","Config":{"Labels":{"k":"v","n":7}},"State":{)" +
           state + R"(},"NetworkSettings":{"Ports":{"80/tcp":[{"HostIp":"0.0.0.0","HostPort":"8080"},
           {"HostIp":"::","HostPort":"8080"}],"53/udp":[{"HostPort":"90000"}],"9/sctp":[],"7":null}}})";
}

const Dialect& any_dialect() {
    return *GENERATE(&docker_words, &podman_words);
}

}  // namespace

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

TEST_CASE("images are pulled by name and tag, and by digest") {
    const auto [image, repository, tag] = GENERATE(table<std::string, std::string, std::string>({
        {"web", "web", "latest"},
        {"web:2", "web", "2"},
        {"127.0.0.1:5000/web", "127.0.0.1:5000/web", "latest"},
        {"127.0.0.1:5000/a/web:2", "127.0.0.1:5000/a/web", "2"},
        {"h:1/web@sha256:0f", "h:1/web", "sha256:0f"},
        {"h:1/web:2@sha256:0f", "h:1/web", "sha256:0f"},
    }));
    SECTION("by dockerd") {
        Service service(docker_words);
        service.answers[service.pull_key()] = Service::progress(R"({"status":"Pulling"})");
        CHECK_FALSE(service.pull(image));
        CHECK(service.asked[0].parameter("fromImage") == repository);
        CHECK(service.asked[0].parameter("tag") == tag);
        CHECK(service.asked[0].headers.count("x-registry-auth") == 0);
    }
    SECTION("by Podman, which knows such names itself") {
        Service service(podman_words);
        service.answers[service.pull_key()] = Service::progress(R"({"stream":"Trying"}{"id":"1"})");
        CHECK_FALSE(service.pull(image));
        CHECK(service.asked[0].parameter("reference") == image);
        CHECK(service.asked[0].parameter("policy") == "always");
    }
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

TEST_CASE("what goes wrong within a good answer to a pull is an error in the engine's words") {
    const Dialect& dialect = any_dialect();
    Service service(dialect);
    const auto pulled = [&](const std::string& text) {
        service.answers[service.pull_key()] = Service::progress(text);
        return service.pull("h/web");
    };
    const auto docker_error =
        pulled(R"({"status":"Pulling"})"
               "\r\n"
               R"({"errorDetail":{"code":1,"message":"no space left on device"},"error":"other words"})");
    REQUIRE(docker_error);
    CHECK(docker_error->kind == Kind::engine);
    CHECK_THAT(docker_error->message, ContainsSubstring("no space left on device"));
    const auto podman_error = pulled(R"({"stream":"Trying"}{"error":"manifest unknown"}{"stream":"x"})");
    REQUIRE(podman_error);
    CHECK_THAT(podman_error->message, ContainsSubstring("manifest unknown"));
    service.answers[service.pull_key()] = {404, refusal("manifest for h/web not found")};
    const auto refused = service.pull("h/web");
    REQUIRE(refused);
    CHECK(refused->kind == Kind::engine);
    CHECK_THAT(refused->message, ContainsSubstring("HTTP 404: manifest for h/web not found"));
}

TEST_CASE("a pull whose answer is cut anywhere is not taken for done") {
    const Dialect& dialect = any_dialect();
    Service service(dialect);
    const std::string whole =
        Service::progress("{\"status\":\"Pulling\"}\r\n{\"status\":\"Download complete\"}\r\n").body;
    // Of the end, libcurl does without the last line break.
    for (std::size_t size = 0; size + 4 < whole.size(); ++size) {
        service.answers[service.pull_key()] = {.body = whole.substr(0, size), .raw = true};
        CAPTURE(size);
        CHECK(service.pull("h/web"));
    }
    service.answers[service.pull_key()] = {.body = whole, .raw = true};
    CHECK_FALSE(service.pull("h/web"));
}

TEST_CASE("a pull's answer that is none is an error, however long it is") {
    const Dialect& dialect = any_dialect();
    Service service(dialect);
    const auto kind_of = [&](const std::string& text) {
        service.answers[service.pull_key()] = Service::progress(text);
        const auto error = service.pull("h/web");
        return error ? std::optional(error->kind) : std::nullopt;
    };
    CHECK(kind_of("<html>no registry here</html>") == Kind::protocol);
    CHECK(kind_of("{\"status\"::}") == Kind::protocol);
    CHECK(kind_of(R"({"status":"Pulling")") == Kind::protocol);
    CHECK(kind_of("{\"a\":" + std::string(2000, '[') + std::string(2000, ']') + "}") == Kind::protocol);
    // What is too large to be looked at is passed over.
    const std::string large = "{\"status\":\"" + std::string(3 << 20, 'x') + "\"}";
    CHECK(kind_of(large) == std::nullopt);
    CHECK(kind_of(large + R"({"error":"no"})") == Kind::engine);
    CHECK(kind_of(R"({"error":7}{"errorDetail":"x"}null 3 "x" [])") == std::nullopt);
}

TEST_CASE("a pull that goes on and on holds up nothing else, and ends with the client's stream") {
    const Dialect& dialect = any_dialect();
    Service service(dialect);
    service.answers[service.pull_key()] = {.never = true};
    service.answers["POST /containers/" + id_of_web + "/start"] = {204, ""};
    std::size_t called = 0;
    for (int i = 0; i < 100; ++i)
        service.deployment().pull("h/web", {}, [&](const auto&) { ++called; });
    CHECK_FALSE(service.start());
    service.client->close();
    bool turned = false;
    service.loop.post([&] { turned = true; });
    REQUIRE(drive(service.loop, [&] { return turned; }));
    CHECK(called == 0);
    CHECK(service.start()->kind == Kind::unreachable);
    CHECK(service.pull("h/web")->kind == Kind::unreachable);
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

TEST_CASE("an image is there, or it is not") {
    const Dialect& dialect = any_dialect();
    Service service(dialect);
    service.answers["GET /images/h%3A1%2Fweb%3A2/json"] = {200, "{}"};
    CHECK_FALSE(service.find_image("h:1/web:2"));
    CHECK(service.find_image("other")->kind == Kind::no_image);
    service.answers["GET /images/other/json"] = {500, refusal("database is locked")};
    CHECK(service.find_image("other")->kind == Kind::engine);
}

TEST_CASE("images are listed with their names, sizes and ages, each once and in order") {
    const Dialect& dialect = any_dialect();
    Service service(dialect);
    // As dockerd 20.10 and Podman 4.3 have them.
    service.answers["GET /images/json"] = {
        200, R"([{"Id":"sha256:cc","RepoTags":["<none>:<none>"],"Created":1795318318,"Size":7},
                 {"Id":"bb","RepoTags":["h:1/web:2","h:1/web:1","h:1/web:2"],"Created":1795318318,"Size":4096},
                 {"Id":"sha256:aa","RepoTags":null,"Created":-1,"Size":-1},
                 {"Id":"dd","RepoTags":["db:1"],"Labels":null},
                 {"Id":"sha256:bb","RepoTags":["h:1/api:1"],"Size":1}])"};
    const auto images = service.list_images().value();
    const RealTime made{std::chrono::seconds(1795318318)};
    CHECK(images == std::vector<DeployedImage>{{"dd", {"db:1"}, 0, {}},
                                               {"bb", {"h:1/api:1", "h:1/web:1", "h:1/web:2"}, 4096, made},
                                               {"aa", {}, 0, {}},
                                               {"cc", {}, 7, made}});
    CHECK(service.asked.size() == 1);
    service.answers["GET /images/json"] = {200, "[]"};
    CHECK(service.list_images().value().empty());
}

TEST_CASE("what is no image in a list of them is left out, and what is no list is an error") {
    const Dialect& dialect = any_dialect();
    Service service(dialect);
    service.answers["GET /images/json"] = {
        200, R"([7,null,{},[],{"Id":7},{"Id":""},{"Id":"sha256:"},
                 {"Id":"aa","RepoTags":{"a":1},"Created":"now","Size":[]},
                 {"Id":"bb","RepoTags":[1,null,"","a\u0000\ufdd0"],"Created":9e300,"Size":1.5},
                 {"Id":"cc","RepoTags":["ok",")" +
                 std::string(5000, 'x') + R"("],"Created":9223372036854775807,"Size":9223372036854775808}])"};
    const auto images = service.list_images().value();
    REQUIRE(images.size() == 3);
    CHECK(images[0] == DeployedImage{"bb", {"a\xef\xbf\xbd\xef\xbf\xbd"}, 0, {}});
    CHECK(images[1] == DeployedImage{"cc", {"ok"}, 0, {}});
    CHECK(images[2] == DeployedImage{"aa", {}, 0, {}});
    for (const char* body : {"", "{}", "[", "7", "[{\"Id\":\"aa\",}]", "\xff"}) {
        service.answers["GET /images/json"] = {200, body};
        const auto error = service.list_images().error();
        CHECK(error.kind == Kind::protocol);
        CHECK_THAT(error.message, ContainsSubstring("cannot list images at unix://"));
    }
    service.answers["GET /images/json"] = {404, refusal("page not found")};
    CHECK(service.list_images().error().kind == Kind::engine);
    service.answers["GET /images/json"] = {500, refusal("database is locked")};
    CHECK_THAT(service.list_images().error().message, ContainsSubstring("database is locked"));
    service.answers["GET /images/json"] = {.body = "", .raw = true};
    CHECK(service.list_images().error().kind == Kind::unreachable);
}

TEST_CASE("more images, or names of them, than a message of the bus can carry are an error") {
    const Dialect& dialect = any_dialect();
    Service service(dialect);
    const auto listed = [&](std::size_t images, std::size_t names, std::size_t length) {
        std::string body = "[";
        for (std::size_t image = 0; image < images; ++image) {
            body.append(image == 0 ? "" : ",").append(R"({"Id":")").append(std::to_string(image));
            body.append(R"(","RepoTags":[)");
            for (std::size_t name = 0; name < names; ++name) {
                body.append(name == 0 ? "\"" : ",\"").append(std::to_string(name)).append(length, 'n');
                body.append("\"");
            }
            body.append("]}");
        }
        service.answers["GET /images/json"] = {200, body + "]"};
        return service.list_images();
    };
    CHECK(listed(EngineDeployment::most_images, 1, 8).value().size() == EngineDeployment::most_images);
    CHECK_THAT(listed(EngineDeployment::most_images + 1, 0, 0).error().message,
               ContainsSubstring("more than 10000 images"));
    CHECK(listed(1, EngineDeployment::most_image_names, 1).value().size() == 1);
    CHECK(listed(1, EngineDeployment::most_image_names + 1, 1).error().kind == Kind::protocol);
    CHECK_THAT(listed(3000, 1, 4000).error().message, ContainsSubstring("more names than can be told"));
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
