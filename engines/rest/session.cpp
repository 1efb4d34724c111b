#include "engines/rest/session.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "engines/http/http_error.h"
#include "engines/http/json.h"
#include "engines/socket_file.h"
#include "engines/support/log.h"
#include "engines/support/text.h"

namespace shorewatch::rest {

namespace {

using Kind = EngineError::Kind;
using ItemKind = json::StreamSplitter::Item::Kind;

constexpr std::string_view connecting = "connect to the engine";
constexpr std::string_view following_events = "follow the engine's events";

// Events are not told strictly in the order of their stamps.
constexpr auto overlap = std::chrono::seconds(1);

constexpr std::size_t longest_quote = 80;

// Of "Server: Docker/20.10.24+dfsg1 (linux)", or "Libpod/4.3.1 (linux)". Empty: there is nothing of that
// form.
std::string server_version(const http::Head& head) {
    constexpr std::string_view in_versions =
        "0123456789.abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ+-~_:";
    constexpr std::size_t longest = 64;
    const std::string* server = head.find("server");
    if (server == nullptr) return {};
    const std::size_t slash = server->find('/');
    if (slash == std::string::npos) return {};
    const std::size_t begin = slash + 1;
    const std::size_t end = std::min(server->find_first_not_of(in_versions, begin), server->size());
    const bool whole = end == server->size() || (*server)[end] == ' ';
    return whole && end - begin <= longest ? server->substr(begin, end - begin) : std::string{};
}

std::string in_quotes(std::string_view text) {
    return "'" + http::excerpt(text, longest_quote) + "'";
}

}  // namespace

Client::Session::Session(Client& owner, std::optional<RealTime> since, LifecycleObserver& observer)
    : owner_(owner),
      dialect_(*owner.dialect_),
      endpoint_(owner.endpoint_),
      options_(owner.options_),
      since_(since),
      observer_(observer),
      splitter_(options_.event_limit) {
    http_.emplace(owner.loop_, endpoint_, options_.parallel);
}

void Client::Session::start() {
    http::Request request;
    request.target = dialect_.ping_path();
    request.purpose = connecting;
    request.deadline = options_.ping_deadline;
    send(*http_, std::move(request), [this](const Result<http::Response>& result) { take_ping(result); });
}

void Client::Session::end() {
    if (std::exchange(ended_, true)) return;
    open_ = false;
    // The clients first: they end all exchanges at once, and none of those in line is sent meanwhile.
    http_.reset();
    control_http_.reset();
    deploy_http_.reset();
    requests_.clear();
    events_.reset();
    if (skipped_ > 0 || splitter_.skipped() > 0) {
        log::debug("events of " + endpoint_.url() + ": " + std::to_string(skipped_) + " not used, and " +
                   std::to_string(splitter_.skipped()) + " values that were no events");
    }
}

void Client::Session::get(std::string_view path, http::Request request, http::Reply done) {
    request.target = prefix_ + std::string(path);
    send(*http_, std::move(request), std::move(done));
}

void Client::Session::control(std::string_view path, http::Request request, http::Reply done) {
    if (!control_http_) control_http_.emplace(owner_.loop_, endpoint_, EngineControl::most_at_a_time);
    request.own_connection = true;
    request.target = prefix_ + std::string(path);
    send(*control_http_, std::move(request), std::move(done));
}

http::Client& Client::Session::deploying() {
    if (!deploy_http_) deploy_http_.emplace(owner_.loop_, endpoint_, EngineControl::most_at_a_time);
    return *deploy_http_;
}

void Client::Session::deploy(std::string_view path, http::Request request, http::Reply done) {
    request.own_connection = true;
    request.target = prefix_ + std::string(path);
    send(deploying(), std::move(request), std::move(done));
}

void Client::Session::follow(std::string_view path, http::StreamRequest request, Progress progress,
                             Whole done) {
    request.target = prefix_ + std::string(path);
    const std::uint64_t number = next_request_++;
    const auto end = [this, number, call = std::move(done)](std::optional<EngineError> error) {
        const auto keep = shared_from_this();
        const auto ended = requests_.extract(number);
        call(std::move(error));
    };
    auto exchange = deploying().open(
        std::move(request), {[](const http::Head&, const Peer&) {}, std::move(progress),
                             [end](const EngineError& error) { end(error); }, [end] { end(std::nullopt); }});
    requests_.emplace(number, std::move(exchange));
}

void Client::Session::send(http::Client& client, http::Request request, http::Reply done) {
    const std::uint64_t number = next_request_++;
    auto exchange = client.send(std::move(request), [this, number, call = std::move(done)](auto result) {
        const auto keep = shared_from_this();
        const auto ended = requests_.extract(number);
        call(std::move(result));
        if (!ended_ && open_ && requests_.size() < options_.parallel) ask_info();
    });
    requests_.emplace(number, std::move(exchange));
}

void Client::Session::take_ping(const Result<http::Response>& result) {
    if (!result) return fail(result.error());
    const http::Response& response = result.value();
    if (response.head.status != 200) {
        return fail(
            http::status_error(connecting, endpoint_, response.head.status, response.body).of_no_container());
    }
    const Greeting greeting = dialect_.decode_ping(response.head);
    if (!greeting.refusal.empty()) {
        return fail(http::make_error(greeting.refusal_kind, connecting, endpoint_, greeting.refusal));
    }
    prefix_ = greeting.prefix;
    if (std::string version = server_version(response.head); !version.empty())
        owner_.identity_.version = std::move(version);

    // Without an earlier stream, events count from now on: by the engine's clock, which is ours on this host.
    const auto since = since_ ? *since_ - overlap : endpoint_.is_local() ? real_time_now() : greeting.clock;
    since ? open_events(*since) : ask_info();
}

// An engine runs other programs before it answers, which takes the time of what is needed to watch: so this
// is asked once the first list and its inspections are through.
void Client::Session::ask_info() {
    if (std::exchange(info_asked_, true)) return;
    http::Request request;
    request.purpose = "ask the engine about itself";
    request.deadline = options_.info_deadline;
    get(dialect_.info_path(), std::move(request),
        [this](Result<http::Response> result) { take_info(std::move(result)); });
}

// Worth knowing, but slow and not needed to watch: its failure is no failure.
void Client::Session::take_info(Result<http::Response> result) {
    std::optional<RealTime> engine_clock;
    std::string problem;
    if (!result) {
        problem = result.error().message;
    } else if (const int status = result.value().head.status; status != 200) {
        problem = "HTTP " + std::to_string(status);
    } else {
        try {
            const EngineInfo info = dialect_.decode_info(std::move(result.value().body));
            engine_clock = info.time;
            owner_.identity_.id = info.id;
            owner_.identity_.version = info.version;
            tell_identity();
        } catch (const json::Malformed& malformed) {
            problem = malformed.what();
        }
    }
    if (!problem.empty()) log::debug("no /info of " + endpoint_.url() + ": " + problem);
    if (!ended_ && !events_asked_) open_events(engine_clock.value_or(real_time_now()));
}

void Client::Session::open_events(RealTime since) {
    events_asked_ = true;
    // What was over before the first stream is nobody's business: its events would come after the first list.
    if (!owner_.began_) owner_.began_ = since_.value_or(since);
    if (endpoint_.is_local()) {
        // The clock may have been set back, and what is asked for from later on tells nothing until then.
        const RealTime now = real_time_now();
        owner_.began_ = std::min(*owner_.began_, now);
        since = std::min(since, now - overlap);
    }
    since = std::max(since, *owner_.began_);
    last_event_ = std::max(since, last_event_.value_or(since));
    http::StreamRequest request;
    // since is needed even for what happens from now on: dockerd and Podman send the head before they
    // subscribe.
    request.target = prefix_ + dialect_.events_path(since);
    request.purpose = following_events;
    request.connect_deadline = options_.connect_deadline;
    request.head_deadline = options_.head_deadline;
    request.late_head = options_.late_head;
    events_ =
        http_->open(std::move(request), {[this](const http::Head&, const Peer& peer) { take_open(peer); },
                                         [this](std::string_view bytes) { take_bytes(bytes); },
                                         [this](const EngineError& error) { take_end(error); }});
}

void Client::Session::take_open(const Peer& peer) {
    const auto keep = shared_from_this();
    if (const std::string why = distrust_of(endpoint_, peer); !why.empty())
        return fail_stream(Kind::unreachable, why);
    if (std::exchange(reopening_, false)) return observer_.on_gap({});
    open_ = true;
    pids_ = pids_told_at(endpoint_, peer.pid);
    owner_.identity_.take(peer);
    tell_identity();
    if (!ended_) observer_.on_stream_open();
}

// The engine replays what the stream has left out. All else goes on meanwhile.
void Client::Session::reopen_events() {
    log::debug("the log of events of " + endpoint_.url() + " was rotated; reading it anew");
    reopening_ = true;
    skipped_ += splitter_.skipped();
    splitter_ = json::StreamSplitter(options_.event_limit);
    open_events(*last_event_ - overlap);
}

void Client::Session::tell_identity() {
    const EngineIdentity told = owner_.identity_;  // ours, whatever the observer does to the owner
    if (told != EngineIdentity{}) observer_.on_identity(told);
}

void Client::Session::take_bytes(std::string_view bytes) {
    const auto keep = shared_from_this();
    splitter_.feed(bytes);
    while (!ended_) {
        const auto item = splitter_.next();
        switch (item.kind) {
            case ItemKind::need_more:
                return;
            case ItemKind::object:
                take_object(item.text);
                if (reopening_) return;
                break;
            case ItemKind::oversize:
                observer_.on_gap("an event of " + std::to_string(item.size) + " bytes at " + endpoint_.url() +
                                 " was left out; the largest that is taken has " +
                                 std::to_string(options_.event_limit));
                break;
            case ItemKind::malformed:
                return fail_stream(Kind::protocol, "there is no JSON in it: " + in_quotes(item.text));
        }
    }
}

void Client::Session::take_object(std::string_view text) {
    EventLine line;
    try {
        line = dialect_.decode_event(std::string(text));
    } catch (const json::Malformed& malformed) {
        return fail_stream(Kind::protocol, std::string(malformed.what()) + ": " + in_quotes(text));
    }
    if (!line.complaint.empty())
        return fail_stream(Kind::engine, "instead of an event: " + in_quotes(line.complaint));
    if (line.rotated && owner_.recent_.is_new_rotation(*line.rotated)) return reopen_events();
    if (!line.gap.empty()) observer_.on_gap(line.gap);
    if (ended_) return;
    if (!line.event || (line.exact_time && !owner_.recent_.is_new(*line.event))) {
        ++skipped_;
        return;
    }
    last_event_ = std::max(*last_event_, line.event->time);
    observer_.on_event(*line.event);
}

void Client::Session::take_end(const EngineError& error) {
    if (splitter_.inside_value()) return fail_stream(Kind::protocol, "the stream broke off within an event");
    fail(error.of_no_container());
}

void Client::Session::fail_stream(EngineError::Kind kind, std::string_view cause) {
    fail(http::make_error(kind, following_events, endpoint_, cause));
}

void Client::Session::fail(const EngineError& error) {
    const auto keep = shared_from_this();
    // Ours, whatever happens to whose it was. NOLINTNEXTLINE(performance-unnecessary-copy-initialization)
    const EngineError told = error;
    owner_.close();
    observer_.on_stream_end(told);
}

}  // namespace shorewatch::rest
