// A real gRPC server on a unix socket, whose methods are what a test says they are. It knows bytes, not
// messages.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "engines/endpoint.h"

namespace shorewatch::fakes {

// One call of a client, from the moment its request has come. Any thread may use it at any time; what comes
// after its end is dropped.
class GrpcExchange {
  public:
    virtual ~GrpcExchange() = default;

    std::string method;   // "/PACKAGE.SERVICE/METHOD"
    std::string request;  // serialized
    std::map<std::string, std::string> metadata;
    // Called after cancelled() has become true, on a thread of gRPC's. To be set by the handler.
    std::function<void()> when_cancelled;

    virtual void send(std::string message) = 0;
    // Once what was sent is written. code: gRPC's, 0 for success.
    virtual void finish(int code = 0, std::string text = {}) = 0;
    // Has the client given it up, or lost its connection?
    [[nodiscard]] virtual bool cancelled() const = 0;

    // A whole unary answer.
    void answer(std::string message) {
        send(std::move(message));
        finish();
    }
};
using GrpcExchangePtr = std::shared_ptr<GrpcExchange>;

class GrpcServer {
  public:
    // Called on a thread of gRPC's.
    using Handler = std::function<void(GrpcExchangePtr)>;

    // handler gets all calls.
    explicit GrpcServer(Handler handler);
    ~GrpcServer();
    GrpcServer(const GrpcServer&) = delete;
    GrpcServer& operator=(const GrpcServer&) = delete;

    [[nodiscard]] Endpoint endpoint() const;
    // Breaks all connections off, and listens no more.
    void stop();

  private:
    struct Core;
    std::unique_ptr<Core> core_;
};

}  // namespace shorewatch::fakes
