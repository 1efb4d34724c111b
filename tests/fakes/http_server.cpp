#include "tests/fakes/http_server.h"

#include <array>
#include <stdexcept>
#include <utility>

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include "tests/fakes/http_response.h"

namespace shorewatch::fakes {

HttpConnection::HttpConnection(HttpServer& server, std::unique_ptr<ByteChannel> channel)
    : server_(server), channel_(std::move(channel)) {}

void HttpConnection::watch() {
    // A frozen connection is not watched at all: a hang-up is reported whatever is asked for.
    source_.reset();
    if (closed() || server_.frozen_) return;
    source_ = server_.loop_.on_io(channel_->fd(), EPOLLIN, [this](std::uint32_t revents) { serve(revents); });
}

void HttpConnection::serve(std::uint32_t revents) {
    const auto keep = shared_from_this();
    // A TLS channel may have to read in order to write and the other way round: both are always tried.
    if ((revents & ~static_cast<std::uint32_t>(EPOLLOUT)) != 0 || channel_->waits_to_write()) receive();
    if (!closed()) send();
}

void HttpConnection::receive() {
    std::array<char, 16384> buffer{};
    for (;;) {
        const auto [outcome, bytes] = channel_->read(buffer);
        if (outcome == ByteChannel::Outcome::blocked) break;
        if (outcome == ByteChannel::Outcome::ended) return close();
        incoming_.append(buffer.data(), bytes);
    }
    take_request();
}

void HttpConnection::take_request() {
    HttpRequest request;
    if (responding_ || closed()) return;
    try {
        if (!take_http_request(incoming_, request)) return;
    } catch (const std::invalid_argument& error) {
        write(status_line(400) + framed(error.what(), Framing::until_close));
        return close_when_sent();
    }
    responding_ = true;
    response_ended_ = false;
    sent_of_response_ = 0;
    delivery_ = {};
    server_.callbacks_.on_request(shared_from_this(), std::move(request));
}

void HttpConnection::begin_response(Delivery delivery) {
    delivery_ = delivery;
    if (!closed() && delivery_.close_after == 0) close();
}

void HttpConnection::write(std::string_view bytes) {
    if (closed() || closing_) return;
    outgoing_ += bytes;
    send();
}

void HttpConnection::end_response() {
    response_ended_ = true;
    send();
}

void HttpConnection::close_when_sent() {
    closing_ = true;
    send();
}

// Returns the number of bytes sent, 0 when the channel takes no more for now.
std::size_t HttpConnection::send_some() {
    std::string_view rest = std::string_view(outgoing_).substr(sent_from_outgoing_);
    rest = rest.substr(0, delivery_.close_after - sent_of_response_);
    if (delivery_.byte_by_byte) rest = rest.substr(0, 1);
    if (rest.empty()) return 0;
    const auto [outcome, bytes] = channel_->write(rest);
    if (outcome == ByteChannel::Outcome::ended) close();
    return outcome == ByteChannel::Outcome::moved ? bytes : 0;
}

void HttpConnection::send() {
    const auto keep = shared_from_this();
    while (!closed() && !server_.frozen_) {
        const std::size_t sent = send_some();
        if (closed()) return;
        sent_from_outgoing_ += sent;
        sent_of_response_ += sent;
        if (sent_of_response_ >= delivery_.close_after) return close();
        if (sent == 0 || delivery_.byte_by_byte) break;
    }
    if (closed()) return;
    const bool all_sent = sent_from_outgoing_ == outgoing_.size();
    if (all_sent) {
        outgoing_.clear();
        sent_from_outgoing_ = 0;
        if (closing_) return close();
        if (responding_ && response_ended_) return response_is_over();
    }
    update_interest();
}

void HttpConnection::response_is_over() {
    responding_ = false;
    if (delivery_.then_close) return close();
    update_interest();
    if (const auto over = std::exchange(over_, {})) over();
    take_request();
}

void HttpConnection::update_interest() {
    if (!source_) return;
    const bool more = sent_from_outgoing_ < outgoing_.size() || channel_->waits_to_write();
    source_.set_io_events(static_cast<std::uint32_t>(more ? EPOLLIN | EPOLLOUT : EPOLLIN));
}

void HttpConnection::close() {
    if (closed()) return;
    const auto keep = shared_from_this();
    source_.reset();
    channel_.reset();
    server_.forget(keep);
    if (const auto over = std::exchange(over_, {})) over();
}

HttpServer::~HttpServer() {
    stop_listening();
    close_connections();
}

void HttpServer::listen(UniqueFd listener, ChannelFactory& channels) {
    listener_ = std::move(listener);
    listener_source_ =
        loop_.on_io(listener_.get(), EPOLLIN, [this, &channels](std::uint32_t) { accept(channels); });
}

void HttpServer::stop_listening() {
    listener_source_.reset();
    listener_.reset();
}

void HttpServer::accept(ChannelFactory& channels) {
    UniqueFd fd(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
    if (!fd) return;
    // Fails on unix sockets, which have nothing to switch off.
    const int on = 1;
    ::setsockopt(fd.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    const auto connection = std::make_shared<HttpConnection>(*this, channels.make(std::move(fd)));
    connections_.insert(connection);
    connection->watch();
    callbacks_.on_connections_changed();
}

void HttpServer::close_connections() {
    for (const auto& connection : std::set(connections_))
        connection->close();
}

void HttpServer::set_frozen(bool frozen) {
    frozen_ = frozen;
    if (listener_) listener_source_.set_io_events(frozen ? 0U : static_cast<std::uint32_t>(EPOLLIN));
    for (const auto& connection : std::set(connections_)) {
        connection->watch();
        if (!frozen) connection->send();
    }
}

void HttpServer::forget(const HttpConnectionPtr& connection) {
    connections_.erase(connection);
    callbacks_.on_connections_changed();
}

}  // namespace shorewatch::fakes
