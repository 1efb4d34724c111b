#include "engines/containerd/containerd_session.h"

#include <algorithm>
#include <array>
#include <random>
#include <utility>

#include "engines/containerd/messages.h"
#include "engines/containerd/runtime/containerd_runtime.h"
#include "engines/error_text.h"
#include "engines/socket_file.h"
#include "engines/support/log.h"

namespace shorewatch::containerd {

namespace {

using Kind = EngineError::Kind;

constexpr std::string_view connecting = "connect to the engine";
constexpr std::string_view following_events = "follow the engine's events";

// The namespace that our own event is published in. It need not exist, and does not come into being.
constexpr std::string_view own_namespace = "shorewatch";

constexpr std::chrono::milliseconds slowest_publish = std::chrono::seconds(2);

// Nobody else's, even if another daemon does as we do.
std::string unique_topic() {
    constexpr std::string_view digits = "0123456789abcdef";
    std::random_device random;
    std::string topic = "/shorewatch/";
    for (int i = 0; i < 32; ++i)
        topic += digits[random() % digits.size()];
    return topic;
}

}  // namespace

grpc::Request request_to(std::string method, std::string purpose, std::string message,
                         const std::string& name_space, std::chrono::milliseconds deadline) {
    grpc::Request request;
    request.method = std::move(method);
    request.purpose = std::move(purpose);
    request.message = std::move(message);
    if (!name_space.empty()) request.metadata.emplace_back("containerd-namespace", name_space);
    request.deadline = deadline;
    return request;
}

ContainerdClient::Session::Session(ContainerdClient& owner, LifecycleObserver& observer)
    : owner_(owner),
      loop_(owner.loop_),
      endpoint_(owner.endpoint_),
      options_(owner.options_),
      observer_(observer),
      mark_(unique_topic()),
      next_publish_(options_.publish_retry),
      deadline_(loop_,
                [this] {
                    fail_stream(Kind::timeout, "no events within " + in_seconds(options_.stream_deadline) +
                                                   "; does the engine hang?");
                }),
      publish_again_(loop_, [this] { publish_mark(); }) {}

void ContainerdClient::Session::start() {
    // From the loop, since it may fail at once.
    loop_.post([weak = weak_from_this()] {
        if (const auto session = weak.lock(); session && !session->ended_) session->connect();
    });
}

void ContainerdClient::Session::connect() {
    auto connection = grpc::Connection::open(owner_.library_, loop_, endpoint_, connecting);
    if (!connection) return fail(connection.error());
    connection_ = std::move(connection.value());
    pids_ = pids_told_at(endpoint_, connection_->peer().pid);
    deadline_.arm_after(options_.stream_deadline);
    subscribe();
    publish_mark();
    ask_identity();
}

void ContainerdClient::Session::end() {
    if (std::exchange(ended_, true)) return;
    open_ = false;
    deadline_.disarm();
    publish_again_.disarm();
    events_.reset();
    calls_.clear();
    connection_.reset();
    if (skipped_ > 0) {
        log::debug("events of " + endpoint_.url() + ": " + std::to_string(skipped_) + " not used");
    }
}

void ContainerdClient::Session::call(grpc::Request request, grpc::Reply done) {
    calls_.call(*connection_, std::move(request), [this, done = std::move(done)](grpc::Answer answer) {
        const auto keep = shared_from_this();
        done(std::move(answer));
    });
}

void ContainerdClient::Session::stream(grpc::Request request, grpc::StreamHandlers handlers) {
    calls_.stream(*connection_, std::move(request), std::move(handlers));
}

// Worth knowing, but not needed to watch: a failure is no failure.
void ContainerdClient::Session::ask_identity() {
    identity_.take(connection_->peer());
    const auto ask = [this](std::string method, const std::string& what, auto take) {
        auto request = request_to(std::move(method), "ask the engine for its " + what, {}, {},
                                  options_.identity_deadline);
        call(std::move(request),
             [this, what, take](const grpc::Answer& answer) { take_identity(what, answer, take); });
    };
    ask("/containerd.services.introspection.v1.Introspection/Server", "id", [this](std::string_view bytes) {
        const auto id = decode_server_id(bytes);
        if (id) identity_.id = *id;
        return id.has_value();
    });
    ask("/containerd.services.version.v1.Version/Version", "version", [this](std::string_view bytes) {
        const auto version = decode_version(bytes);
        if (version) identity_.version = *version;
        return version.has_value();
    });
}

void ContainerdClient::Session::take_identity(const std::string& what, const grpc::Answer& answer,
                                              const std::function<bool(std::string_view)>& take) {
    if (!answer) return log::debug("no " + what + ": " + answer.error.message);
    if (!take(answer.message)) {
        return log::debug("no " + what + ": the answer of " + endpoint_.url() + " makes no sense");
    }
    observer_.on_identity(identity_);
}

void ContainerdClient::Session::subscribe() {
    auto request =
        request_to("/containerd.services.events.v1.Events/Subscribe", std::string(following_events),
                   subscribe_request(owner_.namespaces_.filters(mark_)), {}, {});
    grpc::StreamHandlers handlers;
    handlers.on_message = [this](std::string_view bytes) { take_message(bytes); };
    handlers.on_end = [this](const grpc::Answer& answer) {
        const auto keep = shared_from_this();
        if (answer) return fail_stream(Kind::unreachable, "the engine has ended the stream");
        // NOT_FOUND would mean the call itself here.
        fail(answer.error.of_no_container());
    };
    events_ = connection_->stream(std::move(request), std::move(handlers));
}

void ContainerdClient::Session::publish_mark() {
    call(request_to("/containerd.services.events.v1.Events/Publish", std::string(following_events),
                    publish_request(mark_), std::string(own_namespace), options_.publish_deadline),
         [this](const grpc::Answer& answer) { take_published(answer); });
}

void ContainerdClient::Session::take_published(const grpc::Answer& answer) {
    if (open_) return;
    if (answer) {
        // It may have been published before the subscription stood.
        publish_again_.arm_after(next_publish_);
        next_publish_ = std::min(next_publish_ * 2, slowest_publish);
        return;
    }
    const Kind kind = answer.error.kind;
    if (kind == Kind::timeout || kind == Kind::unreachable) return fail(answer.error);
    // Something in between that doesn't let us publish. Then the subscription, asked for before this, is
    // taken to stand: the best that can be known.
    log::notice("whether all events of " + endpoint_.url() +
                " are told from the beginning can't be made sure of: " + answer.error.message);
    take_open();
}

void ContainerdClient::Session::take_open() {
    if (std::exchange(open_, true)) return;
    deadline_.disarm();
    publish_again_.disarm();
    if (identity_ != EngineIdentity{}) observer_.on_identity(identity_);
    if (!ended_) observer_.on_stream_open();
}

void ContainerdClient::Session::take_message(std::string_view bytes) {
    const auto keep = shared_from_this();
    auto message = decode_event(bytes);
    if (!message) return fail_stream(Kind::protocol, "there is a message in it that is no event");
    if (message->topic == mark_) return take_open();
    if (open_ && owner_.runtime_ && owner_.namespaces_.watches(message->name_space)) {
        owner_.runtime_->take_event(bytes);
        if (ended_) return;
    }
    if (!message->event || !owner_.namespaces_.watches(message->name_space)) {
        ++skipped_;
        return;
    }
    take_event(std::move(*message->event));
}

void ContainerdClient::Session::take_event(ContainerEvent event) {
    // What happened before the stream was declared open is in the list.
    const Container& told = *event.container;
    if (event.type == ContainerEvent::Type::started && told.pid != 0) {
        owner_.runs_.see(told.id, told.pid, event.time, pids_);
    } else if (event.type == ContainerEvent::Type::exited) {
        owner_.runs_.forget(told.id, told.pid);
    }
    // The pid is told with all the rest, when the run has been inspected.
    event.container = told.without_process();
    if (open_) observer_.on_event(event);
}

void ContainerdClient::Session::fail_stream(EngineError::Kind kind, std::string_view cause) {
    fail(make_error(kind, following_events, endpoint_, cause));
}

void ContainerdClient::Session::fail(const EngineError& error) {
    const auto keep = shared_from_this();
    // Ours, whatever happens to whose it was. NOLINTNEXTLINE(performance-unnecessary-copy-initialization)
    const EngineError told = error;
    owner_.close();
    observer_.on_stream_end(told);
}

}  // namespace shorewatch::containerd
