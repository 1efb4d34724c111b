// The two sides of one call: gRPC's threads, which bring news, and the loop's thread, which takes them.
//
// gRPC's callbacks do nothing but post to the loop, through a Mailbox that is shut when the connection goes.
// gRPC keeps a call alive until it is done with it, whoever has lost interest meanwhile.
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

// Where a call belongs.
struct Home {
    std::shared_ptr<Mailbox> mailbox;
    std::shared_ptr<Census> census;
    Endpoint endpoint;
};

// What gRPC has of a call, to the end: the ticket goes last.
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
    [[nodiscard]] Answer answer_to(const ::grpc::Status& status) const;

    const Home home_;
    Request request_;
    ::grpc::ClientContext context_;
    ::grpc::ByteBuffer sent_;
    ::grpc::ByteBuffer received_;
    bool over_ = false;  // the loop's thread only: cancelled, or its end was told
};

class UnaryCall final : public CallState, public std::enable_shared_from_this<UnaryCall> {
  public:
    UnaryCall(const Home& home, Request request, Reply reply);
    void start(::grpc::GenericStub& stub);

  private:
    void give_up() noexcept override { reply_ = nullptr; }
    void finish(const ::grpc::Status& status);

    Reply reply_;
};

class StreamCall final : public CallState,
                         public std::enable_shared_from_this<StreamCall>,
                         private ::grpc::ClientBidiReactor<::grpc::ByteBuffer, ::grpc::ByteBuffer> {
  public:
    StreamCall(const Home& home, Request request, StreamHandlers handlers);
    void start(::grpc::GenericStub& stub);

  private:
    // gRPC's threads.
    void OnReadDone(bool ok) override;
    void OnDone(const ::grpc::Status& status) override;

    // The loop's thread.
    void give_up() noexcept override;
    void take_message();
    void finish(const ::grpc::Status& status);
    std::shared_ptr<StreamHandlers> handlers_;      // by pointer, since one may end the call while it runs
    std::unique_ptr<Hostage<StreamCall>> hostage_;  // from start() to OnDone()
    std::mutex mutex_;
    // Guarded by mutex_. Ours: no read is under way, and gRPC's hold on the call is to be let go of by us.
    bool ours_ = false;
    bool given_up_ = false;
};

}  // namespace shorewatch::grpc
