#include "engines/docker/docker_client.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "engines/docker/docker_decode.h"
#include "engines/docker/docker_plan.h"
#include "engines/http/http_error.h"

namespace shorewatch::docker {

namespace {

// What this project was written for: Docker 29. The oldest is what an engine speaks that doesn't say.
constexpr ApiVersion newest_known{1, 52};
constexpr ApiVersion unsaid{1, 24};

constexpr std::size_t longest_quote = 80;

std::string event_filters() {
    std::string names;
    for (const std::string_view name : known_actions()) {
        names += (names.empty() ? "\"" : ",\"") + std::string(name) + "\"";
    }
    return http::url_encoded(R"({"type":["container"],"event":[)" + names + "]}");
}

// The Engine API.
class DockerDialect final : public rest::Dialect {
  public:
    [[nodiscard]] std::string_view type() const override { return type_id; }

    [[nodiscard]] std::string_view ping_path() const override { return "/_ping"; }
    [[nodiscard]] rest::Greeting decode_ping(const http::Head& head) override;

    [[nodiscard]] std::string_view info_path() const override { return "/info"; }
    [[nodiscard]] rest::EngineInfo decode_info(std::string json) override {
        return docker::decode_info(std::move(json));
    }

    [[nodiscard]] std::string events_path(RealTime since) const override {
        return "/events?since=" + to_decimal_seconds(since) + "&filters=" + event_filters();
    }
    [[nodiscard]] rest::EventLine decode_event(std::string json) override {
        return docker::decode_event(std::move(json));
    }

    [[nodiscard]] std::string_view list_path() const override { return "/containers/json"; }
    [[nodiscard]] rest::ContainerList decode_list(std::string json) override {
        return docker::decode_list(std::move(json));
    }

    [[nodiscard]] std::string container_path(const std::string& id) const override {
        return "/containers/" + http::url_encoded(id);
    }
    [[nodiscard]] Inspection decode_inspection(std::string json) override {
        return docker::decode_inspection(std::move(json));
    }

    [[nodiscard]] std::string_view stop_parameter() const override { return "t"; }

    [[nodiscard]] std::string_view root() const override { return ""; }
    [[nodiscard]] std::string pull_path(const std::string& image) const override {
        const auto [repository, tag] = split_image(image);
        return "/images/create?fromImage=" + http::url_encoded(repository) + "&tag=" + http::url_encoded(tag);
    }
    [[nodiscard]] std::string create_query(const ContainerPlan& plan) const override {
        return "?name=" + http::url_encoded(plan.name);
    }
    [[nodiscard]] std::string create_body(const ContainerPlan& plan, const StringPairs&) const override {
        return docker::create_body(plan);
    }
    [[nodiscard]] bool links_by_address() const override { return false; }
    [[nodiscard]] std::string_view removal_query() const override { return "?force=true&v=true"; }
};

rest::Greeting DockerDialect::decode_ping(const http::Head& head) {
    rest::Greeting greeting;
    if (const std::string* podman = head.find("libpod-api-version")) {
        greeting.refusal = "this is Podman " + *podman +
                           " behind a Docker socket; its Docker-compatible events are incomplete: name the "
                           "socket as an engine of type \"podman\"";
        return greeting;
    }
    const std::string* told = head.find("api-version");
    const auto version = told != nullptr ? ApiVersion::parse(*told) : unsaid;
    if (!version) {
        greeting.refusal =
            "its Api-Version is '" + http::excerpt(*told, longest_quote) + "'; is this Docker?";
        greeting.refusal_kind = EngineError::Kind::protocol;
        return greeting;
    }
    greeting.prefix = "/v" + std::min(*version, newest_known).text();
    return greeting;
}

}  // namespace

DockerClient::DockerClient(EventLoop& loop, Endpoint endpoint, const DockerOptions& options)
    : Client(loop, std::move(endpoint), std::make_unique<DockerDialect>(), options) {}

}  // namespace shorewatch::docker
