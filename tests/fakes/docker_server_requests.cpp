// How a fake engine takes requests and answers them.
#include <algorithm>
#include <charconv>
#include <stdexcept>
#include <utility>

#include "tests/fakes/docker_server.h"

namespace shorewatch::fakes {

std::optional<ApiMinor> minor_of(std::string_view version) {
    if (!version.starts_with("1.")) return std::nullopt;
    version.remove_prefix(2);
    ApiMinor minor = 0;
    const auto [end, error] = std::from_chars(version.data(), version.data() + version.size(), minor);
    const bool whole = error == std::errc{} && end == version.data() + version.size();
    return whole ? std::optional(minor) : std::nullopt;
}

namespace {

// "/v1.41/containers/ID/json" is an inspect of ID under 1.41.
SeenRequest classified(HttpRequest http) {
    SeenRequest request;
    std::string_view path = http.path;
    if (path.starts_with("/v")) {
        const std::string_view version = path.substr(2, path.find('/', 2) - 2);
        if (minor_of(version)) {
            request.api = version;
            path.remove_prefix(2 + version.size());
        }
    }
    constexpr std::string_view containers = "/containers/";
    if (path == "/_ping") request.kind = Request::ping;
    if (path == "/version") request.kind = Request::version;
    if (path == "/info") request.kind = Request::info;
    if (path == "/events") request.kind = Request::events;
    if (path == "/containers/json") request.kind = Request::list;
    if (path.starts_with(containers) && path.ends_with("/json") && path.size() > containers.size() + 5) {
        request.kind = Request::inspect;
        request.container = path.substr(containers.size(), path.size() - containers.size() - 5);
    }
    const std::size_t last = path.rfind('/');
    const bool below_container = path.starts_with(containers) && last > containers.size();
    if (http.method == "POST" && below_container) {
        request.kind = Request::control;
        request.container = path.substr(containers.size(), last - containers.size());
        request.action = path.substr(last + 1);
    }
    request.http = std::move(http);
    return request;
}

std::optional<Answer> refused_version(const SeenRequest& request, const EngineFacts& facts) {
    const auto minor = minor_of(request.api);
    if (!minor || (*minor >= facts.oldest_api && *minor <= facts.newest_api)) return std::nullopt;
    const std::string asked = "client version " + request.api;
    if (*minor > facts.newest_api) {
        return Answer{400, error_json(asked + " is too new. Maximum supported API version is 1." +
                                      std::to_string(facts.newest_api))};
    }
    return Answer{400, error_json(asked + " is too old. Minimum supported API version is 1." +
                                  std::to_string(facts.oldest_api) +
                                  ", please upgrade your client to a newer version")};
}

Answer list(const HttpRequest& http, const DockerModel& model) {
    const std::string all = http.parameter("all");
    const auto statuses = filter_values(http.parameter("filters"), "status");
    std::vector<const FakeContainer*> chosen;
    for (const FakeContainer* container : model.containers()) {
        // A status that is asked for is listed, dead or not.
        const bool fits = statuses.empty() ? all == "1" || all == "true" || container->in_list()
                                           : statuses.contains(status_of(*container));
        if (fits) chosen.push_back(container);
    }
    return {200, list_json(chosen)};
}

Answer inspect(const std::string& reference, const DockerModel& model) {
    const FakeContainer* container = model.find(reference);
    if (container == nullptr) return {404, error_json("No such container: " + reference)};
    return {200, inspect_json(*container)};
}

// The head of a stream's answer, when the parameters make sense; throws otherwise.
Answer check_stream(const HttpRequest& http) {
    static_cast<void>(EventFilter::parse(http.parameter("filters")));
    if (!http.parameter("since").empty()) static_cast<void>(parse_since(http.parameter("since")));
    return {};
}

}  // namespace

void DockerServer::take_request(const HttpConnectionPtr& connection, HttpRequest http) {
    const auto exchange = std::make_shared<Exchange>();
    exchange->connection = connection;
    exchange->request = classified(std::move(http));
    exchange->behaviour = behaviour_for(exchange->request);
    if (exchange->request.kind == Request::inspect) note_inspect(connection);
    observations.note([&](Seen& seen) { seen.requests.push_back(exchange->request); });
    pass(exchange->behaviour.hold_request, exchange, [this, exchange] { begin(exchange); });
}

Behaviour DockerServer::behaviour_for(const SeenRequest& request) {
    const std::lock_guard lock(behaviours_mutex_);
    const Behaviour* chosen = nullptr;
    for (ActiveBehaviour& active : behaviours_) {
        const std::string& container = active.behaviour.container;
        if (active.kind != request.kind || (!container.empty() && container != request.container)) continue;
        ++active.matched;
        const bool meant = active.behaviour.nth == 0 || active.behaviour.nth == active.matched;
        if (meant && chosen == nullptr) chosen = &active.behaviour;
    }
    return chosen != nullptr ? *chosen : Behaviour{};
}

void DockerServer::note_inspect(const HttpConnectionPtr& connection) {
    observations.note(
        [](Seen& seen) { seen.inspects_at_most = std::max(seen.inspects_at_most, ++seen.inspects); });
    connection->when_over([this] { observations.note([](Seen& seen) { --seen.inspects; }); });
}

void DockerServer::pass(const std::optional<Gate>& gate, const ExchangePtr& exchange,
                        std::function<void()> next) {
    if (!gate || gate->is_open()) {
        if (gate) gate->arrive([] {});
        return next();
    }
    gate->arrive([mailbox = mailbox_, exchange, next = std::move(next)] {
        mailbox->post([exchange, next] {
            if (!exchange->connection->closed()) next();
        });
    });
}

void DockerServer::begin(const ExchangePtr& exchange) {
    const Behaviour& behaviour = exchange->behaviour;
    HttpConnection& connection = *exchange->connection;
    connection.begin_response(behaviour.delivery);
    if (behaviour.never_answer || connection.closed()) return;
    if (behaviour.raw) {
        connection.write(*behaviour.raw);
        return connection.close_when_sent();
    }
    if (exchange->request.kind == Request::events && !behaviour.status) return begin_stream(exchange);
    answer(exchange);
}

void DockerServer::answer(const ExchangePtr& exchange) {
    pass(exchange->behaviour.hold, exchange, [this, exchange] {
        const Behaviour& behaviour = exchange->behaviour;
        if (behaviour.before) behaviour.before();
        const Answer computed = compute(*exchange);
        if (behaviour.after) behaviour.after();
        if (exchange->connection->closed()) return;
        pass(behaviour.hold_answer, exchange, [this, exchange, computed] { send(*exchange, computed); });
    });
}

Answer DockerServer::compute(const Exchange& exchange) {
    const SeenRequest& request = exchange.request;
    const Behaviour& behaviour = exchange.behaviour;
    if (behaviour.status) return {*behaviour.status, error_json(behaviour.message)};
    const std::lock_guard lock(world.mutex);
    if (auto refused = refused_version(request, world.facts)) return *std::move(refused);
    try {
        switch (request.kind) {
            case Request::ping:
                return {200, "OK", "text/plain; charset=utf-8"};
            case Request::version:
                return {200, version_json(world.facts)};
            case Request::info:
                return {200, info_json(world.facts, world.model.containers(), world.model.now())};
            case Request::events:
                return check_stream(request.http);
            case Request::list:
                return list(request.http, world.model);
            case Request::inspect:
                return inspect(request.container, world.model);
            case Request::control:
                return control(request);
            case Request::other:
                break;
        }
    } catch (const std::invalid_argument& error) {
        return {500, error_json(error.what())};
    }
    return {404, error_json("page not found")};
}

void DockerServer::send(Exchange& exchange, Answer answer) {
    const Behaviour& behaviour = exchange.behaviour;
    if (behaviour.body) answer.body = *behaviour.body;
    if (behaviour.edit) answer.body = behaviour.edit(std::move(answer.body));
    if (exchange.request.http.method == "HEAD") answer.body.clear();
    HttpConnection& connection = *exchange.connection;
    connection.write(head(answer) + framed(answer.body, behaviour.framing));
    if (behaviour.framing == Framing::until_close) return connection.close_when_sent();
    if (behaviour.framing != Framing::content_length_too_large) connection.end_response();
}

std::string DockerServer::head(const Answer& answer) {
    const std::lock_guard lock(world.mutex);
    const std::string api = "1." + std::to_string(world.facts.newest_api);
    return status_line(answer.status) + "Api-Version: " + api + "\r\nContent-Type: " + answer.content_type +
           "\r\nDocker-Experimental: false\r\nOstype: linux\r\nServer: Docker/" + world.facts.version +
           " (linux)\r\nDate: " + http_date() + "\r\n";
}

}  // namespace shorewatch::fakes
