#include "engines/cri/cri_session.h"

#include <utility>

#include "engines/error_text.h"
#include "engines/socket_file.h"
#include "engines/support/log.h"

namespace shorewatch::cri {

namespace {

using Kind = EngineError::Kind;
using Type = ContainerEvent::Type;

constexpr std::string_view connecting = "connect to the engine";
constexpr std::string_view following_events = "follow the engine's events";
constexpr std::string_view service = "/runtime.v1.RuntimeService/";
constexpr std::string_view kubernetes = "k8s.io/";

}  // namespace

std::string containerd_id(const std::string& id) {
    return std::string(kubernetes) + id;
}

std::string own_id(const std::string& containerd_id) {
    return containerd_id.starts_with(kubernetes) ? containerd_id.substr(kubernetes.size()) : containerd_id;
}

CriClient::Session::Session(CriClient& owner, LifecycleObserver& observer)
    : owner_(owner),
      loop_(owner.loop_),
      endpoint_(owner.endpoint_),
      options_(owner.options_),
      observer_(observer),
      // CRI-O does not say when it begins to tell of events.
      list_again_(loop_, [this] { observer_.on_gap(""); }) {}

void CriClient::Session::start() {
    // From the loop, since it may fail at once.
    loop_.post([weak = weak_from_this()] {
        if (const auto session = weak.lock(); session && !session->ended_) session->connect();
    });
}

void CriClient::Session::connect() {
    auto connection = grpc::Connection::open(owner_.library_, loop_, endpoint_, connecting);
    if (!connection) return fail(connection.error());
    connection_ = std::move(connection.value());
    pids_ = pids_told_at(endpoint_, connection_->peer().pid);
    identity_.take(connection_->peer());
    call("Version", std::string(connecting), version_request(), options_.version_deadline,
         [this](const grpc::Answer& answer) { take_version(answer); });
}

void CriClient::Session::end() {
    if (std::exchange(ended_, true)) return;
    open_ = false;
    list_again_.disarm();
    calls_.clear();
    waiting_.clear();
    if (containerd_ != nullptr) containerd_->close();
    connection_.reset();
}

void CriClient::Session::call(const std::string& method, std::string purpose, std::string message,
                              std::chrono::milliseconds deadline, grpc::Reply done) {
    grpc::Request request;
    request.method = std::string(service) + method;
    request.purpose = std::move(purpose);
    request.message = std::move(message);
    request.deadline = deadline;
    calls_.call(*connection_, std::move(request), [this, done = std::move(done)](grpc::Answer answer) {
        const auto keep = shared_from_this();
        done(std::move(answer));
    });
}

void CriClient::Session::take_version(const grpc::Answer& answer) {
    if (!answer && answer.code == grpc::Code::unimplemented) {
        return fail(
            Kind::engine, connecting,
            "it does not speak the container runtime interface, version v1; is its CRI plugin "
            "enabled? With containerd 1.5 and older, and without the plugin, use type \"containerd\"");
    }
    if (!answer) return fail(answer.error);
    const auto runtime = decode_version(answer.message);
    if (!runtime) return fail(Kind::protocol, connecting, "what it says of its version makes no sense");
    identity_.version = runtime->version;
    observer_.on_identity(identity_);
    if (ended_) return;
    if (runtime->name == "containerd") return follow_containerd();
    if (runtime->name == "cri-o") return follow_crio();
    fail(Kind::engine, connecting,
         "this is '" + excerpt(runtime->name, 80) +
             "'; only of containerd and CRI-O it is known that to follow their events takes none from the "
             "kubelet");
}

// --- containerd
// ----------------------------------------------------------------------------------------------------

void CriClient::Session::follow_containerd() {
    if (!owner_.containerd_) owner_.containerd_ = owner_.make_containerd_(loop_, endpoint_);
    containerd_ = owner_.containerd_.get();
    containerd_->lifecycle_events({}, *this);
}

void CriClient::Session::on_stream_open() {
    take_open();
}

void CriClient::Session::on_identity(const EngineIdentity& identity) {
    identity_.id = identity.id;
    if (identity.pid != 0) identity_.pid = identity.pid;
    observer_.on_identity(identity_);
}

void CriClient::Session::on_event(const ContainerEvent& event) {
    // A container's name is the interface's, and does not change.
    if (event.type == Type::renamed) return;
    auto container = std::make_shared<Container>(*event.container);
    container->id = own_id(container->id);
    container->name_space.clear();
    ContainerEvent told = event;
    told.container = std::move(container);
    observer_.on_event(told);
}

void CriClient::Session::on_gap(const std::string& why) {
    observer_.on_gap(why);
}

void CriClient::Session::on_stream_end(const EngineError& error) {
    fail(error);
}

// --- CRI-O
// ---------------------------------------------------------------------------------------------------------

void CriClient::Session::follow_crio() {
    grpc::Request request;
    request.method = std::string(service) + "GetContainerEvents";
    request.purpose = following_events;
    grpc::StreamHandlers handlers;
    handlers.on_message = [this](std::string_view bytes) { take_message(bytes); };
    handlers.on_end = [this](const grpc::Answer& answer) { take_end(answer); };
    calls_.stream(*connection_, std::move(request), std::move(handlers));
    // CRI-O does not say when it has taken a reader in, and nothing that is harmless makes it tell of
    // something. It is the first thing it does with the call, so that what is asked for after that is
    // answered later, as a rule; and a list some time after that finds what was missed if it was not.
    call("Version", std::string(following_events), version_request(), options_.version_deadline,
         [this](const grpc::Answer& answer) {
             if (!answer) return fail(answer.error);
             list_again_.arm_after(options_.list_again);
             take_open();
         });
}

void CriClient::Session::take_message(std::string_view bytes) {
    const auto keep = shared_from_this();
    const auto message = decode_event(bytes);
    if (!message) return fail(Kind::protocol, following_events, "there is a message in it that is no event");
    if (!message->event || !open_) return;
    if (message->of_sandbox) return take_sandbox_event(*message->event);
    observer_.on_event(*message->event);
}

void CriClient::Session::take_sandbox_event(const ContainerEvent& event) {
    const std::string& id = event.container->id;
    const auto found = sandboxes_.find(id);
    if (event.type == Type::started && found == sandboxes_.end()) {
        sandboxes_.emplace(id, Sandbox{});
        return call("PodSandboxStatus", "inspect sandbox " + id, verbose_status_request(id),
                    options_.inspect_deadline,
                    [this, event](const grpc::Answer& answer) { take_sandbox_status(event, answer); });
    }
    if (event.type != Type::exited || found == sandboxes_.end()) return;
    if (!found->second.known) {
        found->second.end = event;
        return;
    }
    sandboxes_.erase(found);
    observer_.on_event(event);
}

void CriClient::Session::take_sandbox_status(const ContainerEvent& start, const grpc::Answer& answer) {
    const std::string& id = start.container->id;
    const auto found = sandboxes_.find(id);
    if (found == sandboxes_.end()) return;
    const auto status = answer ? decode_pod_status(answer.message) : std::nullopt;
    const bool has_process = found->second.known || (status && status->pid != 0);
    const auto end = std::exchange(found->second.end, std::nullopt);
    found->second.known = true;
    if (!has_process || end) sandboxes_.erase(found);
    if (!has_process) return;
    observer_.on_event(start);
    if (end && !ended_) observer_.on_event(*end);
}

void CriClient::Session::take_end(const grpc::Answer& answer) {
    const auto keep = shared_from_this();
    if (answer) return fail(Kind::unreachable, following_events, "the engine has ended the stream");
    if (answer.code == grpc::Code::unimplemented) {
        return fail(Kind::engine, following_events,
                    "it does not tell of events; set enable_pod_events = true in the table [crio.runtime] of "
                    "crio.conf, and restart it");
    }
    fail(answer.error.of_no_container());
}

// --- both
// ----------------------------------------------------------------------------------------------------------

void CriClient::Session::take_open() {
    open_ = true;
    observer_.on_stream_open();
}

void CriClient::Session::fail(EngineError::Kind kind, std::string_view purpose, std::string_view cause) {
    fail(make_error(kind, purpose, endpoint_, cause));
}

void CriClient::Session::fail(const EngineError& error) {
    const auto keep = shared_from_this();
    // Ours, whatever happens to whose it was. NOLINTNEXTLINE(performance-unnecessary-copy-initialization)
    const EngineError told = error;
    owner_.close();
    observer_.on_stream_end(told);
}

}  // namespace shorewatch::cri
