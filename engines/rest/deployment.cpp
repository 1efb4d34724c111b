#include "engines/rest/deployment.h"

#include <algorithm>
#include <cctype>
#include <memory>
#include <utility>

#include "engines/http/http_error.h"
#include "engines/http/json.h"
#include "engines/http/json_stream.h"
#include "engines/http/json_writer.h"
#include "engines/rest/deployment_decode.h"
#include "engines/rest/session.h"
#include "engines/support/log.h"

namespace shorewatch::rest {

namespace {

using Kind = EngineError::Kind;
using ItemKind = json::StreamSplitter::Item::Kind;

constexpr int http_not_found = 404;
constexpr int http_conflict = 409;

constexpr std::size_t largest_progress = std::size_t{1024} * 1024;
constexpr std::size_t longest_quote = 80;

constexpr std::string_view finding = "find containers by label";
constexpr std::string_view listing_images = "list images";

bool has_words(const std::string& text, std::string_view words) {
    const auto same = [](char a, char b) {
        return std::tolower(static_cast<unsigned char>(a)) == std::tolower(static_cast<unsigned char>(b));
    };
    return !std::ranges::search(text, words, same).empty();
}

// By the words of dockerd 20.10 and Podman 4.3; the latter has a status of 500 for most.
Kind creation_kind(int status, const std::string& words) {
    if (has_words(words, "no such image") || has_words(words, "image not known")) return Kind::no_image;
    return status == http_conflict || has_words(words, "already in use") ? Kind::conflict : Kind::engine;
}

// Also what a container needs may not be there, as its network.
Kind container_kind(int status, const std::string& words) {
    if (status == http_conflict) return Kind::conflict;
    return has_words(words, "no such container") ? Kind::not_found : Kind::engine;
}

Kind plain_kind(int status, const std::string&) {
    if (status == http_not_found) return Kind::not_found;
    return status == http_conflict ? Kind::conflict : Kind::engine;
}

Kind image_kind(int status, const std::string&) {
    return status == http_not_found ? Kind::no_image : Kind::engine;
}

// Of a list: what is not found is the question itself.
Kind list_kind(int, const std::string&) {
    return Kind::engine;
}

Kind volume_kind(int, const std::string& words) {
    return has_words(words, "volume already exists") ? Kind::conflict : Kind::engine;
}

// Of an exchange that came to no answer. An engine that dies breaks off what it is saying, and the event
// stream may end a little later: who deploys asks again when it is back.
EngineError broken(const EngineError& error) {
    return {error.kind == Kind::protocol ? Kind::unreachable : error.kind, error.message};
}

std::string about_image(std::string_view what, const std::string& image) {
    return std::string(what) + " image " + image;
}

http::Request request(http::Method method, std::string purpose, std::chrono::milliseconds deadline) {
    http::Request result;
    result.method = method;
    result.purpose = std::move(purpose);
    result.deadline = deadline;
    return result;
}

// Reads a pull's progress for what went wrong.
class PullProgress {
  public:
    PullProgress(std::string purpose, Endpoint endpoint)
        : purpose_(std::move(purpose)), endpoint_(std::move(endpoint)) {}

    void take(std::string_view bytes) {
        splitter_.feed(bytes);
        for (auto item = splitter_.next(); item.kind != ItemKind::need_more; item = splitter_.next()) {
            if (item.kind == ItemKind::object) look_at(item.text);
            if (item.kind == ItemKind::malformed) return set_malformed(item.text);
        }
    }

    // What the pull came to; error: how the answer ended, if it was not whole.
    [[nodiscard]] std::optional<EngineError> result(const std::optional<EngineError>& error) const {
        if (!complaint_.empty()) return http::make_error(Kind::engine, purpose_, endpoint_, complaint_);
        // What is not found is the image, at its registry.
        if (error) return broken(error->of_no_container());
        if (!malformed_.empty()) return http::make_error(Kind::protocol, purpose_, endpoint_, malformed_);
        if (splitter_.inside_value())
            return http::make_error(Kind::protocol, purpose_, endpoint_, "the answer broke off");
        return std::nullopt;
    }

  private:
    void look_at(std::string_view text) {
        try {
            if (std::string words = pull_complaint(std::string(text)); !words.empty())
                complaint_ = http::excerpt(words, longest_complaint);
        } catch (const json::Malformed&) {
            set_malformed(text);
        }
    }

    void set_malformed(std::string_view text) {
        if (malformed_.empty())
            malformed_ = "there is no JSON in its answer: '" + http::excerpt(text, longest_quote) + "'";
    }

    static constexpr std::size_t longest_complaint = 500;

    const std::string purpose_;
    const Endpoint endpoint_;
    json::StreamSplitter splitter_{largest_progress};
    std::string complaint_;
    std::string malformed_;
};

// What an answer's body says; an error for one that is not what was asked for.
template <typename Value>
Result<Value> decoded(const std::string& purpose, const Endpoint& endpoint, Result<std::string> body,
                      Value (*decode)(std::string)) {
    if (!body) return body.error();
    try {
        return decode(std::move(body.value()));
    } catch (const json::Malformed& malformed) {
        return http::make_error(Kind::protocol, purpose, endpoint, malformed.what());
    }
}

std::function<void(Result<std::string>)> as_done(EngineDeployment::Done reply) {
    return [call = std::move(reply)](const Result<std::string>& body) {
        body ? call(std::nullopt) : call(body.error());
    };
}

}  // namespace

std::string Client::Deployment::path_of(std::string_view below) const {
    return std::string(owner_.dialect_->root()) + std::string(below);
}

void Client::Deployment::ask(const std::string& path, http::Request request, KindOf kind_of,
                             BodyReply reply) {
    Session* session = owner_.session_.open();
    if (session == nullptr) return owner_.session_.refuse_without_session(request.purpose, std::move(reply));
    const std::string purpose = request.purpose;
    session->deploy(path, std::move(request),
                    [purpose, kind_of, endpoint = owner_.endpoint_,
                     call = std::move(reply)](Result<http::Response> result) {
                        if (!result) return call(broken(result.error()));
                        http::Response& response = result.value();
                        const int status = response.head.status;
                        if (status >= 200 && status < 300) return call(std::move(response.body));
                        EngineError error = http::status_error(purpose, endpoint, status, response.body);
                        error.kind = kind_of(status, error.message);
                        call(std::move(error));
                    });
}

// --- images

void Client::Deployment::pull(const std::string& image, const std::optional<RegistryCredentials>& credentials,
                              Done reply) {
    const std::string purpose = about_image("pull", image);
    Session* session = owner_.session_.open();
    if (session == nullptr) return owner_.session_.refuse_without_session(purpose, std::move(reply));
    http::StreamRequest request;
    request.method = http::Method::post;
    request.purpose = purpose;
    request.connect_deadline = owner_.options_.connect_deadline;
    // It comes when the registry has answered.
    request.head_deadline = std::chrono::milliseconds::zero();
    request.deadline = owner_.options_.pull_deadline;
    if (credentials) request.headers.emplace_back("X-Registry-Auth", registry_auth(*credentials));
    const auto progress = std::make_shared<PullProgress>(purpose, owner_.endpoint_);
    session->follow(
        owner_.dialect_->pull_path(image), std::move(request),
        [progress](std::string_view bytes) { progress->take(bytes); },
        [progress, call = std::move(reply)](const std::optional<EngineError>& error) {
            call(progress->result(error));
        });
}

void Client::Deployment::find_image(const std::string& image, Done reply) {
    ask(path_of("/images/" + http::url_encoded(image) + "/json"),
        request(http::Method::get, about_image("find", image), owner_.options_.inspect_deadline), image_kind,
        as_done(std::move(reply)));
}

void Client::Deployment::list_images(ImagesReply reply) {
    http::Request question =
        request(http::Method::get, std::string(listing_images), owner_.options_.inspect_deadline);
    question.body_limit = owner_.options_.list_limit;
    ask(path_of("/images/json"), std::move(question), list_kind,
        [endpoint = owner_.endpoint_, call = std::move(reply)](Result<std::string> body) {
            call(decoded(std::string(listing_images), endpoint, std::move(body), decode_images));
        });
}

// --- containers

void Client::Deployment::create(const ContainerPlan& plan, TextReply reply) {
    if (owner_.dialect_->links_by_address()) return find_hosts(plan, {}, std::move(reply));
    create_with(plan, {}, std::move(reply));
}

// Takes the links out of the plan one by one, and makes them hosts.
void Client::Deployment::find_hosts(ContainerPlan plan, StringPairs hosts, TextReply reply) {
    if (plan.links.empty()) return create_with(plan, hosts, std::move(reply));
    const std::string id = plan.links.front().first;
    const std::string name = plan.links.front().second;
    plan.links.erase(plan.links.begin());
    const std::string purpose = doing("find the address of", id);
    http::Request question = request(http::Method::get, purpose, owner_.options_.inspect_deadline);
    question.body_limit = owner_.options_.inspect_limit;
    ask(owner_.dialect_->container_path(id) + "/json", std::move(question), container_kind,
        [this, purpose, name, plan = std::move(plan), hosts = std::move(hosts),
         call = std::move(reply)](Result<std::string> body) mutable {
            auto address = decoded(purpose, owner_.endpoint_, std::move(body), decode_address);
            if (!address) return call(address.error());
            if (address.value().empty()) {
                log::warning("container " + plan.name + " is not linked to " + name +
                             ", which has no address of its own");
            } else {
                hosts.emplace_back(name, address.value());
            }
            find_hosts(std::move(plan), std::move(hosts), std::move(call));
        });
}

void Client::Deployment::create_with(const ContainerPlan& plan, const StringPairs& hosts, TextReply reply) {
    const std::string purpose = "create container " + plan.name;
    http::Request order = request(http::Method::post, purpose, owner_.options_.work_deadline);
    order.json = owner_.dialect_->create_body(plan, hosts);
    ask(path_of("/containers/create") + owner_.dialect_->create_query(plan), std::move(order), creation_kind,
        [purpose, endpoint = owner_.endpoint_, call = std::move(reply)](Result<std::string> body) {
            call(decoded(purpose, endpoint, std::move(body), decode_created));
        });
}

void Client::Deployment::start(const std::string& id, Done reply) {
    const std::string purpose = doing("start", id);
    Session* session = owner_.session_.open();
    if (session == nullptr) return owner_.session_.refuse_without_session(purpose, std::move(reply));
    session->deploy(
        owner_.dialect_->container_path(id) + "/start",
        request(http::Method::post, purpose, owner_.options_.work_deadline),
        [purpose, endpoint = owner_.endpoint_, call = std::move(reply)](Result<http::Response> result) {
            if (!result) return call(broken(result.error()));
            const http::Response& response = result.value();
            constexpr int not_modified = 304;  // it runs already
            const int status = response.head.status;
            if ((status >= 200 && status < 300) || status == not_modified) return call(std::nullopt);
            EngineError error = http::status_error(purpose, endpoint, status, response.body);
            error.kind = container_kind(status, error.message);
            call(std::move(error));
        });
}

void Client::Deployment::inspect(const std::string& id_or_name, ContainerReply reply) {
    const std::string purpose = doing("inspect", id_or_name);
    http::Request question = request(http::Method::get, purpose, owner_.options_.inspect_deadline);
    question.body_limit = owner_.options_.inspect_limit;
    ask(owner_.dialect_->container_path(id_or_name) + "/json", std::move(question), plain_kind,
        [purpose, id_or_name, endpoint = owner_.endpoint_,
         call = std::move(reply)](Result<std::string> body) {
            auto container = decoded(purpose, endpoint, std::move(body), decode_deployed);
            // Engines take the beginning of an id for it, too.
            if (container && container.value().id != id_or_name && container.value().name != id_or_name)
                return call(http::make_error(Kind::not_found, purpose, endpoint, "it found another one"));
            call(std::move(container));
        });
}

void Client::Deployment::find_containers(const std::string& label, ContainersReply reply) {
    json::Writer filters;
    filters.begin_object();
    filters.key("label");
    filters.begin_array();
    filters.text(label);
    filters.end_array();
    filters.end_object();
    http::Request question = request(http::Method::get, std::string(finding), owner_.options_.list_deadline);
    question.body_limit = owner_.options_.list_limit;
    ask(path_of("/containers/json?all=true&filters=") + http::url_encoded(filters.written()),
        std::move(question), list_kind,
        [endpoint = owner_.endpoint_, call = std::move(reply)](Result<std::string> body) {
            call(decoded(std::string(finding), endpoint, std::move(body), decode_deployed_list));
        });
}

void Client::Deployment::remove(const std::string& id, Done reply) {
    const std::string purpose = doing("remove", id);
    ask(owner_.dialect_->container_path(id) + std::string(owner_.dialect_->removal_query()),
        request(http::Method::del, purpose, owner_.options_.work_deadline), plain_kind,
        [purpose, endpoint = owner_.endpoint_, call = std::move(reply)](Result<std::string> body) {
            const auto complaint = decoded(purpose, endpoint, std::move(body), removal_complaint);
            if (!complaint) return call(complaint.error());
            if (complaint.value().empty()) return call(std::nullopt);
            call(http::make_error(Kind::engine, purpose, endpoint, complaint.value()));
        });
}

// --- volumes

void Client::Deployment::create_volume(const std::string& name, const StringPairs& labels, Done reply) {
    json::Writer body;
    body.begin_object();
    body.member("Name", name);
    body.key("Labels");
    body.begin_object();
    for (const auto& [key, value] : labels)
        body.member(key, value);
    body.end_object();
    body.end_object();
    http::Request order =
        request(http::Method::post, "create volume " + name, owner_.options_.control_deadline);
    order.json = body.written();
    ask(path_of("/volumes/create"), std::move(order), volume_kind,
        [call = std::move(reply)](const Result<std::string>& answer) {
            const bool is_there = answer || answer.error().kind == Kind::conflict;
            is_there ? call(std::nullopt) : call(answer.error());
        });
}

void Client::Deployment::remove_volume(const std::string& name, Done reply) {
    ask(path_of("/volumes/" + http::url_encoded(name)),
        request(http::Method::del, "remove volume " + name, owner_.options_.control_deadline), plain_kind,
        as_done(std::move(reply)));
}

}  // namespace shorewatch::rest
