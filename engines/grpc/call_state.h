// The two sides of one call: the library's thread, which brings news, and the loop's thread, which takes
// them.
//
// The first does nothing but post to the loop, through a Mailbox that is shut when the connection goes. A
// call lives until gRPC is done with it, whoever has lost interest meanwhile.
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <string>

#include <grpcpp/client_context.h>
#include <grpcpp/generic/generic_stub.h>

#include "engines/endpoint.h"
#include "engines/grpc/connection.h"
#include "engines/grpc/library_inside.h"
#include "engines/support/event_loop.h"

namespace shorewatch::grpc {

// The way from the library's thread to the loop, until it is shut.
class Mailbox {
  public:
    explicit Mailbox(EventLoop& loop) : loop_(&loop) {}

    // Any thread. The task is destroyed, here or unrun with the loop, if nobody takes it.
    void post(std::function<void()> task) noexcept;
    void shut() noexcept;

  private:
    std::mutex mutex_;
    EventLoop* loop_;  // guarded by mutex_; null: shut
};

// Where a call belongs.
struct Home {
    std::shared_ptr<Mailbox> mailbox;
    std::shared_ptr<Census> census;
    Endpoint endpoint;
    ::grpc::CompletionQueue* queue;  // outlives all calls
};

// What the queue has of a call, to the end: the ticket goes last.
template <typename CallType>
struct Hostage {
    Hostage(std::shared_ptr<Census> census, std::shared_ptr<CallType> state)
        : ticket(std::move(census)), call(std::move(state)) {}

    Ticket ticket;
    std::shared_ptr<CallType> call;
};

// What unary calls and streams have in common.
class CallState {
  public:
    CallState(const Home& home, Request request);
    CallState(const CallState&) = delete;
    CallState& operator=(const CallState&) = delete;
    virtual ~CallState() = default;

    // The loop's thread: nothing is called back from here on, and gRPC is told to come to an end.
    void cancel() noexcept;

  protected:
    // On the loop's thread: what was to be called back belongs to it to the end.
    virtual void give_up() noexcept = 0;
    [[nodiscard]] Answer answer() const;

    const Home home_;
    Request request_;
    ::grpc::ClientContext context_;
    ::grpc::ByteBuffer sent_;
    ::grpc::ByteBuffer received_;
    ::grpc::Status status_;
    bool over_ = false;  // the loop's thread only: cancelled, or its end was told
};

class UnaryCall final : public CallState, public std::enable_shared_from_this<UnaryCall>, private QueueTag {
  public:
    UnaryCall(const Home& home, Request request, Reply reply);
    void start(::grpc::GenericStub& stub);

  private:
    void done(bool ok) noexcept override;

    // The loop's thread.
    void give_up() noexcept override { reply_ = nullptr; }
    void finish();

    Reply reply_;
    std::unique_ptr<::grpc::GenericClientAsyncResponseReader> reader_;
    std::unique_ptr<Hostage<UnaryCall>> hostage_;  // from start() to done()
};

class StreamCall final : public CallState, public std::enable_shared_from_this<StreamCall>, private QueueTag {
  public:
    StreamCall(const Home& home, Request request, StreamHandlers handlers);
    void start(::grpc::GenericStub& stub);

  private:
    // Of each there is one at a time. Reading and handing over alternate while there is something to be read,
    // and somebody who wants it. While a message is handed over nothing is under way in gRPC, and the next
    // step is the loop's thread's; the other steps end with done(), on the library's.
    enum class Step { writing, reading, handing_over, finishing, over };

    void done(bool ok) noexcept override;
    void read();
    void wind_up();

    // The loop's thread.
    void give_up() noexcept override;
    void take_message();
    void finish();

    std::shared_ptr<StreamHandlers> handlers_;  // by pointer, since one may end the call while it runs
    std::unique_ptr<::grpc::GenericClientAsyncReaderWriter> stream_;
    std::unique_ptr<Hostage<StreamCall>> hostage_;  // from start() to the last done()
    std::mutex mutex_;
    Step step_ = Step::writing;  // these two guarded by mutex_
    bool given_up_ = false;
};

}  // namespace shorewatch::grpc
