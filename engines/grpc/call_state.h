// The two sides of one call: gRPC's threads, which bring news, and the loop's thread, which takes them.
//
// gRPC's callbacks do nothing but post to the loop, through a Mailbox that is shut when the connection goes.
// A call keeps itself alive until gRPC is done with it, whoever has lost interest meanwhile.
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <string>

#include <grpcpp/client_context.h>
#include <grpcpp/generic/generic_stub.h>

#include "engines/endpoint.h"
#include "engines/grpc/connection.h"
#include "engines/support/event_loop.h"

namespace shorewatch::grpc {

// The way from gRPC's threads to the loop, until it is shut.
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

// What unary calls and streams have in common.
class CallState {
  public:
    CallState(std::shared_ptr<Mailbox> mailbox, Endpoint endpoint, Request request);
    CallState(const CallState&) = delete;
    CallState& operator=(const CallState&) = delete;
    virtual ~CallState() = default;

    // The loop's thread: nothing is called back from here on, and gRPC is told to come to an end.
    void cancel() noexcept;

  protected:
    // What was to be called back is the loop's thread's, to the end.
    virtual void drop_handlers() noexcept = 0;
    [[nodiscard]] Answer answer_to(const ::grpc::Status& status) const;

    const std::shared_ptr<Mailbox> mailbox_;
    const Endpoint endpoint_;
    Request request_;
    ::grpc::ClientContext context_;
    ::grpc::ByteBuffer sent_;
    ::grpc::ByteBuffer received_;
    bool over_ = false;  // the loop's thread only: cancelled, or its end was told
};

class UnaryCall final : public CallState, public std::enable_shared_from_this<UnaryCall> {
  public:
    UnaryCall(std::shared_ptr<Mailbox> mailbox, Endpoint endpoint, Request request, Reply reply);
    void start(::grpc::GenericStub& stub);

  private:
    void drop_handlers() noexcept override { reply_ = nullptr; }
    void finish(const ::grpc::Status& status);

    Reply reply_;
};

class StreamCall final : public CallState,
                         public std::enable_shared_from_this<StreamCall>,
                         private ::grpc::ClientBidiReactor<::grpc::ByteBuffer, ::grpc::ByteBuffer> {
  public:
    StreamCall(std::shared_ptr<Mailbox> mailbox, Endpoint endpoint, Request request, StreamHandlers handlers);
    void start(::grpc::GenericStub& stub);

  private:
    class Turn;

    // gRPC's threads.
    void OnReadDone(bool ok) override;
    void OnDone(const ::grpc::Status& status) override;

    // The loop's thread.
    void drop_handlers() noexcept override { handlers_.reset(); }
    void take_message(Turn& turn);
    void finish(const ::grpc::Status& status);

    std::shared_ptr<StreamHandlers> handlers_;  // by pointer, since one may end the call while it runs
    std::shared_ptr<StreamCall> self_;          // from start() to OnDone()
};

}  // namespace shorewatch::grpc
