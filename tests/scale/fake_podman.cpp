#include "tests/scale/fake_podman.h"

#include <chrono>
#include <optional>

#include "engines/support/timestamp.h"
#include "tests/fakes/http_response.h"

namespace shorewatch::scale {

namespace {

using fakes::HttpConnectionPtr;
using fakes::HttpRequest;

constexpr std::string_view prefix = "/v4.0.0/libpod";
constexpr std::string_view containers_prefix = "/containers/";
constexpr std::string_view inspect_suffix = "/json";

std::string quoted(const std::string& text) {
    return '"' + text + '"';
}

std::string seconds_of(RealTime time) {
    return std::to_string(std::chrono::floor<std::chrono::seconds>(time.time_since_epoch()).count());
}

}  // namespace

FakePodman::FakePodman() {
    thread_.run([this] {
        server_ = std::make_unique<fakes::HttpServer>(
            thread_.loop(),
            fakes::HttpServer::Callbacks{[this](const HttpConnectionPtr& connection,
                                                const HttpRequest& asked) { serve(connection, asked); },
                                         [] {}});
        server_->listen(listener_.open(), channels_);
    });
}

FakePodman::~FakePodman() {
    thread_.run([this] {
        streams_.clear();
        server_.reset();
    });
}

void FakePodman::start(const std::string& id, const std::string& name, std::uint32_t pid) {
    thread_.loop().post([this, id, name, pid] {
        containers_.insert_or_assign(id, Container{name, pid, real_time_now()});
        tell("create", id, name, 0);
        tell("init", id, name, 0);
        tell("start", id, name, 0);
    });
}

void FakePodman::remove(const std::string& id, int exit_code) {
    thread_.loop().post([this, id, exit_code] {
        const auto found = containers_.find(id);
        if (found == containers_.end()) return;
        const std::string name = found->second.name;
        containers_.erase(found);
        tell("died", id, name, exit_code);
        tell("cleanup", id, name, 0);
        tell("remove", id, name, 0);
    });
}

void FakePodman::tell(const std::string& action, const std::string& id, const std::string& name,
                      int exit_code) {
    std::string line = R"({"Type":"container","Action":")";
    line.append(action).append(R"(","Actor":{"ID":")").append(id).append(R"(","Attributes":{"name":")");
    line.append(name).append(R"(","image":"busybox","containerExitCode":")");
    line.append(std::to_string(exit_code)).append(R"("}},"timeNano":)");
    line.append(std::to_string(real_time_now().time_since_epoch().count())).append("}\n");
    std::erase_if(streams_, [](const HttpConnectionPtr& stream) { return stream->closed(); });
    for (const HttpConnectionPtr& stream : streams_)
        stream->write(fakes::chunk(line));
}

std::string FakePodman::list() const {
    std::string body = "[";
    for (const auto& [id, container] : containers_) {
        if (body.size() > 1) body.push_back(',');
        body.append(R"({"Id":)").append(quoted(id)).append(R"(,"Names":[)").append(quoted(container.name));
        body.append(R"(],"Image":"busybox","State":"running","Labels":{},"Pid":)");
        body.append(std::to_string(container.pid)).append(R"(,"StartedAt":)");
        body.append(seconds_of(container.started)).push_back('}');
    }
    body.push_back(']');
    return body;
}

void FakePodman::answer(const HttpConnectionPtr& connection, int status, const std::string& body) {
    connection->begin_response({});
    connection->write(fakes::status_line(status) +
                      "Content-Type: application/json\r\nLibpod-Api-Version: 4.3.1\r\nDate: " +
                      fakes::http_date() + "\r\n" + fakes::framed(body, fakes::Framing::content_length));
    connection->end_response();
}

void FakePodman::serve(const HttpConnectionPtr& connection, const HttpRequest& asked) {
    if (asked.path == "/libpod/_ping") return answer(connection, 200, "OK");
    const std::string path = asked.path.starts_with(prefix) ? asked.path.substr(prefix.size()) : "";
    if (path == "/info") {
        return answer(connection, 200,
                      R"({"version":{"Version":"4.3.1"},"host":{"hostname":"played"},)"
                      R"("store":{"graphRoot":"/played"}})");
    }
    if (path == "/events") {
        connection->begin_response({});
        connection->write("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
        streams_.push_back(connection);
        return;
    }
    if (path == "/containers/json") return answer(connection, 200, list());
    if (path.starts_with(containers_prefix) && path.ends_with(inspect_suffix)) {
        const std::string id = path.substr(containers_prefix.size(),
                                           path.size() - containers_prefix.size() - inspect_suffix.size());
        if (const auto found = containers_.find(id); found != containers_.end()) {
            const Container& container = found->second;
            return answer(connection, 200,
                          R"({"Id":)" + quoted(id) + R"(,"Name":)" + quoted(container.name) +
                              R"(,"ImageName":"busybox","State":{"Status":"running","Pid":)" +
                              std::to_string(container.pid) + R"(,"StartedAt":)" +
                              quoted(to_rfc3339(container.started)) + R"(},"Config":{"Labels":{}}})");
        }
    }
    answer(connection, 404,
           R"({"cause":"no such container","message":"no container with that id","response":404})");
}

}  // namespace shorewatch::scale
