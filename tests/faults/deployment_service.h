// An engine that answers as a test says, for what Docker's and Podman's clients do for whoever deploys.
#pragma once

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

namespace shorewatch::test {

using Done = std::optional<EngineError>;

inline const std::string id_of_web(64, 'a');

// One engine's words for what both do.
struct Dialect {
    std::string name;
    std::string root;  // of the paths, version included
    std::string pull;  // the path
    std::unique_ptr<EngineClient> (*make)(EventLoop&, const Endpoint&);
};
inline const Dialect docker_words{
    "docker", "/v1.41", "/images/create", [](EventLoop& loop, const Endpoint& endpoint) {
        return std::unique_ptr<EngineClient>(std::make_unique<docker::DockerClient>(loop, endpoint));
    }};
inline const Dialect podman_words{
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
        REQUIRE(fakes::drive(loop, [&] { return observer.opens == 1; }));
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
        REQUIRE(fakes::drive(loop, [&] { return answer.has_value(); }));
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

inline std::string refusal(const std::string& message) {
    return R"({"message":")" + message + R"("})";
}

inline ContainerPlan whole_plan() {
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

inline std::string deployed(const std::string& state) {
    return R"({"Id":")" + id_of_web + R"(","Name":"/web","Config":{"Labels":{"k":"v","n":7}},"State":{)" +
           state + R"(},"NetworkSettings":{"Ports":{"80/tcp":[{"HostIp":"0.0.0.0","HostPort":"8080"},
           {"HostIp":"::","HostPort":"8080"}],"53/udp":[{"HostPort":"90000"}],"9/sctp":[],"7":null}}})";
}

inline const Dialect& any_dialect() {
    return *GENERATE(&docker_words, &podman_words);
}

}  // namespace shorewatch::test
