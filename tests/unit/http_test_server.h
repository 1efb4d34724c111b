// A server for tests of the HTTP client, on the same loop as the client: each test says how it answers.
#pragma once

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "engines/http/http_client.h"
#include "tests/fakes/drive.h"
#include "tests/fakes/http_response.h"
#include "tests/fakes/http_server.h"
#include "tests/fakes/listener.h"

namespace shorewatch::test {

using fakes::HttpConnectionPtr;
using fakes::HttpRequest;

class TestServer {
  public:
    using Handler = std::function<void(const HttpConnectionPtr&, const HttpRequest&)>;

    TestServer(EventLoop& loop, Handler handler,
               Endpoint::Transport transport = Endpoint::Transport::unix_socket)
        : handler_(std::move(handler)),
          listener_(transport),
          server_(loop, {[this](const HttpConnectionPtr& connection, const HttpRequest& request) {
                             paths.push_back(request.path);
                             handler_(connection, request);
                         },
                         [this] { most_connections = std::max(most_connections, server_.connections()); }}) {
        server_.listen(listener_.open(), channels_);
    }

    [[nodiscard]] Endpoint endpoint() const { return listener_.endpoint(); }
    fakes::Listener& listener() { return listener_; }
    fakes::HttpServer& server() { return server_; }

    std::vector<std::string> paths;  // of all requests, in the order they came
    std::size_t most_connections = 0;

  private:
    Handler handler_;
    fakes::Listener listener_;
    fakes::ChannelFactory channels_;
    fakes::HttpServer server_;
};

inline void answer(const HttpConnectionPtr& connection, int status, const std::string& body) {
    connection->write(fakes::status_line(status) + fakes::framed(body, fakes::Framing::content_length));
    connection->end_response();
}

// Bytes in place of an answer; then the connection is closed.
inline void answer_raw(const HttpConnectionPtr& connection, const std::string& bytes) {
    connection->write(bytes);
    connection->close_when_sent();
}

inline const std::string stream_head = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";

}  // namespace shorewatch::test
