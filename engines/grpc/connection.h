// One connection to an engine that speaks gRPC on a unix socket: unary calls and streams of messages, as
// callbacks on an EventLoop. What is in the messages is the engines' business: here they are bytes.
//
// It is a connection, not a channel that connects by itself again and again: who watches an engine knows best
// when to try again, wants to be told of each loss, and gets the reason why connect(2) failed.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "engines/endpoint.h"
#include "engines/grpc/library.h"
#include "engines/result.h"
#include "engines/support/event_loop.h"
#include "engines/support/peer.h"

namespace shorewatch::grpc {

// The numbers are gRPC's.
enum class Code : int {
    ok = 0,
    invalid_argument = 3,
    deadline_exceeded = 4,
    not_found = 5,
    already_exists = 6,
    failed_precondition = 9,
    unimplemented = 12,
    unavailable = 14
};

// What a call came to.
struct Answer {
    Code code = Code::ok;  // any of gRPC's numbers, named above or not
    std::string message;   // of a unary call that went well
    EngineError error;     // of one that did not: not_found for NOT_FOUND

    explicit operator bool() const noexcept { return code == Code::ok; }
};

struct Request {
    std::string method;                                         // "/PACKAGE.SERVICE/METHOD"
    std::string message;                                        // serialized
    std::string purpose;                                        // completes "cannot …", as "list containers"
    std::vector<std::pair<std::string, std::string>> metadata;  // keys in lower case
    // From now until the answer, or the end of a stream. Zero: none.
    std::chrono::milliseconds deadline{};
};

class CallState;

// A call under way; destroying it ends it, and nothing is called back any more.
class Call {
  public:
    Call() noexcept = default;
    Call(Call&&) noexcept = default;
    Call& operator=(Call&& other) noexcept;
    Call(const Call&) = delete;
    Call& operator=(const Call&) = delete;
    ~Call();

    void reset() noexcept;

  private:
    friend class Connection;
    explicit Call(std::shared_ptr<CallState> state) noexcept;

    std::shared_ptr<CallState> state_;
};

// Called on the loop, never from within the call that asked. They may destroy the Call, or the Connection.
using Reply = std::function<void(Answer)>;
struct StreamHandlers {
    // The text lives as long as the call. The next message is read when this has returned, so that no more
    // than one is held.
    std::function<void(std::string_view message)> on_message;
    std::function<void(Answer)> on_end;  // Code::ok: the engine has ended the stream in good order
};

// Used on the loop's thread, which must outlive it. Destroying it ends all of its calls. It does not
// wait for gRPC's threads: what they still have to say is dropped.
class Connection {
  public:
    // Of a message that the engine sends.
    static constexpr std::size_t largest_message = std::size_t{32} * 1024 * 1024;  // bytes

    // Connects, which is done at once or fails at once. purpose is for the error.
    // library outlives the connection.
    [[nodiscard]] static Result<std::unique_ptr<Connection>> open(Library& library, EventLoop& loop,
                                                                  const Endpoint& endpoint,
                                                                  std::string_view purpose);
    ~Connection();
    Connection(const Connection&) = delete;
    Connection& operator=(const Connection&) = delete;

    [[nodiscard]] Call call(Request request, Reply reply);
    // A call that is answered by any number of messages.
    [[nodiscard]] Call stream(Request request, StreamHandlers handlers);

    // Who listens.
    [[nodiscard]] const Peer& peer() const noexcept { return peer_; }

  private:
    struct Core;
    Connection(std::unique_ptr<Core> core, const Peer& peer);

    std::unique_ptr<Core> core_;
    Peer peer_;
};

}  // namespace shorewatch::grpc
