// A small HTTP/1.1 server on an EventLoop, which can also be wrong on purpose. Belongs to the loop's thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>

#include "engines/support/event_loop.h"
#include "engines/support/unique_fd.h"
#include "tests/fakes/byte_channel.h"

namespace shorewatch::fakes {

struct HttpRequest {
    std::string method;
    std::string path;                               // decoded, without the query
    std::map<std::string, std::string> parameters;  // of the query, decoded
    std::map<std::string, std::string> headers;     // names in lower case
    std::string body;

    // Empty when there is none of that name.
    [[nodiscard]] std::string parameter(const std::string& name) const;
};

// How the bytes of one response go out.
struct Delivery {
    static constexpr std::size_t unlimited = std::numeric_limits<std::size_t>::max();

    std::size_t close_after =
        unlimited;              // bytes, from the first of the status line; then the connection is closed
    bool byte_by_byte = false;  // each in a write of its own
    bool then_close = false;    // closes after the whole answer, without having said so
};

class HttpServer;

class HttpConnection : public std::enable_shared_from_this<HttpConnection> {
  public:
    HttpConnection(HttpServer& server, std::unique_ptr<ByteChannel> channel);

    // Between the two, write() is free in what it says. The next request is taken after end_response().
    void begin_response(Delivery delivery);
    void write(std::string_view bytes);
    void end_response();
    // Closes when all that was written is sent.
    void close_when_sent();
    void close();
    [[nodiscard]] bool closed() const noexcept { return channel_ == nullptr; }
    // Calls done when the current response is wholly sent or the connection is closed.
    void when_over(std::function<void()> done) { over_ = std::move(done); }

  private:
    friend class HttpServer;

    void watch();
    void serve(std::uint32_t revents);
    void receive();
    void take_request();
    void send();
    [[nodiscard]] std::size_t send_some();
    void response_is_over();
    void update_interest();

    HttpServer& server_;
    std::unique_ptr<ByteChannel> channel_;
    EventSource source_;
    std::string incoming_;
    std::string outgoing_;
    std::size_t sent_from_outgoing_ = 0;
    std::size_t sent_of_response_ = 0;
    Delivery delivery_;
    std::function<void()> over_;
    bool responding_ = false;
    bool response_ended_ = false;
    bool closing_ = false;
};

using HttpConnectionPtr = std::shared_ptr<HttpConnection>;

class HttpServer {
  public:
    struct Callbacks {
        std::function<void(const HttpConnectionPtr&, HttpRequest)> on_request;
        std::function<void()> on_connections_changed;
    };

    HttpServer(EventLoop& loop, Callbacks callbacks) : loop_(loop), callbacks_(std::move(callbacks)) {}
    ~HttpServer();
    HttpServer(const HttpServer&) = delete;
    HttpServer& operator=(const HttpServer&) = delete;

    // Accepts from a listening, non-blocking socket; one at a time.
    void listen(UniqueFd listener, ChannelFactory& channels);
    void stop_listening();
    void close_connections();
    // Frozen, the server touches no descriptor: connections are made by the kernel, and nothing is read or
    // written.
    void set_frozen(bool frozen);

    [[nodiscard]] std::size_t connections() const noexcept { return connections_.size(); }
    [[nodiscard]] bool frozen() const noexcept { return frozen_; }

  private:
    friend class HttpConnection;

    void accept(ChannelFactory& channels);
    void forget(const HttpConnectionPtr& connection);

    EventLoop& loop_;
    Callbacks callbacks_;
    UniqueFd listener_;
    EventSource listener_source_;
    std::set<HttpConnectionPtr> connections_;
    bool frozen_ = false;
};

// Reads a request from the front of text and removes it; false while it is incomplete. Throws
// std::invalid_argument for what is no HTTP/1.1 request.
bool take_http_request(std::string& text, HttpRequest& request);

}  // namespace shorewatch::fakes
