// The same of images: how they are pulled and listed.
#include "tests/faults/deployment_service.h"

using namespace shorewatch;
using namespace shorewatch::test;
using Catch::Matchers::ContainsSubstring;
using fakes::drive;
using Kind = EngineError::Kind;

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
