// An HTTP/1.1 client for one endpoint on an EventLoop: requests with short answers, and streams without end.
//
// Everything happens on the loop's thread. Callbacks never run within the call that starts an exchange; they
// may start others, destroy any exchange, their own included, and destroy the client.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "engines/endpoint.h"
#include "engines/result.h"
#include "engines/support/event_loop.h"
#include "engines/support/peer.h"

namespace shorewatch::http {

class Transfer;

// The head of an answer.
struct Head {
    int status = 0;
    std::vector<std::pair<std::string, std::string>> headers;  // names in lower case, values as they came

    // The value of the first header of this name (in lower case), or null.
    [[nodiscard]] const std::string* find(std::string_view name) const noexcept;
};

struct Response {
    Head head;
    std::string body;
};

enum class Method { get, post, del };

// Names and values, without line breaks; never in an error.
using Headers = std::vector<std::pair<std::string, std::string>>;

// A request whose answer is short and is wanted whole.
struct Request {
    std::string target;   // path and query, URL-encoded: "/v1.41/containers/json"
    std::string purpose;  // what for; completes "cannot …": "list containers"
    std::chrono::milliseconds deadline =
        std::chrono::seconds(10);                       // from its sending to the answer's last byte
    std::size_t body_limit = std::size_t{1024} * 1024;  // a longer body is an error; bytes
    Method method = Method::get;
    std::string json = {};  // a POST's body; empty: none
    // On a connection of its own, which is closed afterwards, so that it is sent once or not at all: on one
    // that was used before, libcurl sends a request again when the connection turns out to be lost, and the
    // first may have been obeyed.
    bool own_connection = false;
};
// Any status is an answer: the caller looks at it.
using Reply = std::function<void(Result<Response>)>;

// A GET, or a POST without a body, whose answer goes on and on.
struct StreamRequest {
    std::string target;
    std::string purpose;
    std::chrono::milliseconds connect_deadline = std::chrono::seconds(10);
    // From the start to the answer's head; an answer other than 200 must be whole by then. 0: none.
    std::chrono::milliseconds head_deadline = std::chrono::seconds(20);
    // Not 0: a head that has not come this long after the request was sent may come with the first data; the
    // stream counts as open without it, and on_open is called with status 0 and no headers. A later head
    // other than 200 ends it.
    std::chrono::milliseconds late_head{0};
    // Of the whole, from the start to the answer's last byte. 0: none.
    std::chrono::milliseconds deadline{0};
    Method method = Method::get;
    Headers headers = {};  // beside those of every request
};

// Called in this order: on_open once, on_data any number of times, on_end or on_whole once. Without status
// 200 only on_end.
struct StreamHandlers {
    // peer: who listens, where that is a unix socket.
    std::function<void(const Head&, const Peer& peer)> on_open;
    std::function<void(std::string_view)> on_data;  // valid during the call
    // Kind engine or not_found: the answer's status was not 200.
    std::function<void(const EngineError&)> on_end;
    // The answer came to its good end. Without it, a stream has none, and that is an error like others.
    std::function<void()> on_whole = {};
};

// A request or a stream under way; destroying it ends that without calling back.
class Exchange {
  public:
    Exchange() noexcept = default;
    explicit Exchange(std::shared_ptr<Transfer> transfer) noexcept;
    Exchange(Exchange&&) noexcept = default;
    Exchange& operator=(Exchange&& other) noexcept;
    Exchange(const Exchange&) = delete;
    Exchange& operator=(const Exchange&) = delete;
    ~Exchange();

    void reset() noexcept;

  private:
    std::shared_ptr<Transfer> transfer_;
};

// Connections are kept and used again by requests; each stream has one of its own. No proxies, no redirects,
// no cookies; TLS always verifies certificate and host name.
class Client {
  public:
    static constexpr std::size_t default_parallel = 8;

    // parallel: how many requests are sent at a time, at least 1; the others wait in the order they came.
    // Streams don't count. Throws std::runtime_error when libcurl can't be set up.
    Client(EventLoop& loop, Endpoint endpoint, std::size_t parallel = default_parallel);
    // Ends all exchanges without calling back. Exchange objects may outlive the client.
    ~Client();
    Client(const Client&) = delete;
    Client& operator=(const Client&) = delete;

    // Failures come by callback, all of them but libcurl's lack of memory: std::bad_alloc or
    // std::runtime_error.
    [[nodiscard]] Exchange send(Request request, Reply reply);
    [[nodiscard]] Exchange open(StreamRequest request, StreamHandlers handlers);

  private:
    class Core;
    friend class Transfer;
    std::shared_ptr<Core> core_;
};

// text with everything but letters, digits and -._~ as %XX: what goes into a path or a query.
[[nodiscard]] std::string url_encoded(std::string_view text);

}  // namespace shorewatch::http
