#include "tests/fakes/docker_server.h"

#include <csignal>
#include <utility>

namespace shorewatch::fakes {

namespace {

Endpoint::Transport transport_of(const FakeDocker::Options& options) {
    if (options.tls) return Endpoint::Transport::tls;
    const bool tcp = options.transport == FakeDocker::Transport::tcp;
    return tcp ? Endpoint::Transport::tcp : Endpoint::Transport::unix_socket;
}

}  // namespace

DockerServer::DockerServer(FakeDocker::Options options)
    : listener(transport_of(options)),
      channels_(options.tls ? make_tls_factory(*options.tls) : std::make_unique<ChannelFactory>()) {
    world.facts = std::move(options.facts);
    mailbox_->loop = &thread_.loop();
    on_engine([this] {
        // OpenSSL writes to sockets that may be closed; and signals are the business of whoever is tested.
        sigset_t all;
        sigfillset(&all);
        pthread_sigmask(SIG_BLOCK, &all, nullptr);
        http_ = std::make_unique<HttpServer>(
            thread_.loop(),
            HttpServer::Callbacks{
                .on_request = [this](const HttpConnectionPtr& connection,
                                     HttpRequest request) { take_request(connection, std::move(request)); },
                .on_connections_changed =
                    [this] {
                        observations.note([this](Seen& seen) { seen.connections = http_->connections(); });
                    }});
        listen();
    });
}

DockerServer::~DockerServer() {
    {
        const std::lock_guard lock(mailbox_->mutex);
        mailbox_->loop = nullptr;
    }
    on_engine([this] {
        end_process();
        http_.reset();
    });
}

void DockerServer::on_engine(const std::function<void()>& task) {
    if (thread_.is_current()) return task();
    thread_.run(task);
}

void DockerServer::publish(DockerEvent event) {
    if (!world.running) return;
    if (world.holding) return world.held.push_back(std::move(event));
    world.log.add(event);
    send_to_streams({.kind = StreamItem::Kind::event, .event = std::move(event)});
}

void DockerServer::send_to_streams(StreamItem item) {
    item.number = world.next_number++;
    world.outbox.push_back(std::move(item));
    if (world.outbox.size() == 1) mailbox_->post([this] { deliver(); });
}

void DockerServer::add_behaviour(Request kind, Behaviour behaviour) {
    const std::lock_guard lock(behaviours_mutex_);
    behaviours_.push_front({.kind = kind, .behaviour = std::move(behaviour)});
}

void DockerServer::clear_behaviours() {
    const std::lock_guard lock(behaviours_mutex_);
    behaviours_.clear();
}

void DockerServer::listen() {
    http_->listen(listener.open(), *channels_);
    const std::lock_guard lock(world.mutex);
    world.running = true;
}

void DockerServer::end_process() {
    {
        const std::lock_guard lock(world.mutex);
        world.running = false;
        world.log.clear();
        world.outbox.clear();
        world.held.clear();
    }
    http_->stop_listening();
    http_->close_connections();
}

void DockerServer::Mailbox::post(std::function<void()> task) {
    const std::lock_guard lock(mutex);
    if (loop != nullptr) loop->post(std::move(task));
}

}  // namespace shorewatch::fakes
