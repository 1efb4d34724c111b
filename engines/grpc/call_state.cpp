#include "engines/grpc/call_state.h"

#include <chrono>
#include <utility>

#include "engines/grpc/grpc_error.h"

namespace shorewatch::grpc {

namespace {

::grpc::ByteBuffer to_buffer(const std::string& bytes) {
    const ::grpc::Slice slice(bytes);
    return {&slice, 1};
}

// The bytes as one piece.
::grpc::Slice one_slice(const ::grpc::ByteBuffer& buffer) {
    ::grpc::Slice slice;
    if (!buffer.TrySingleSlice(&slice).ok()) static_cast<void>(buffer.DumpToSingleSlice(&slice));
    return slice;
}

std::string_view text_of(const ::grpc::Slice& slice) {
    return {reinterpret_cast<const char*>(slice.begin()), slice.size()};
}

}  // namespace

void Mailbox::post(std::function<void()> task) noexcept {
    try {
        const std::lock_guard lock(mutex_);
        if (loop_ != nullptr) loop_->post(std::move(task));
    } catch (...) {
        // Out of memory. No exception goes up into gRPC; deadlines and the end of the stream still tell.
    }
}

void Mailbox::shut() noexcept {
    const std::lock_guard lock(mutex_);
    loop_ = nullptr;
}

CallState::CallState(std::shared_ptr<Mailbox> mailbox, Endpoint endpoint, Request request)
    : mailbox_(std::move(mailbox)), endpoint_(std::move(endpoint)), request_(std::move(request)) {
    sent_ = to_buffer(request_.message);
    request_.message = {};
    for (const auto& [key, value] : request_.metadata)
        context_.AddMetadata(key, value);
    if (request_.deadline.count() > 0) {
        context_.set_deadline(std::chrono::system_clock::now() + request_.deadline);
    }
}

void CallState::cancel() noexcept {
    if (std::exchange(over_, true)) return;
    drop_handlers();
    context_.TryCancel();
}

Answer CallState::answer_to(const ::grpc::Status& status) const {
    Answer answer;
    answer.code = static_cast<Code>(status.error_code());
    if (answer) return answer;
    answer.error = status_error(request_.purpose, endpoint_,
                                {status.error_code(), status.error_message(), request_.deadline});
    return answer;
}

// --- unary
// ------------------------------------------------------------------------------------------------------

UnaryCall::UnaryCall(std::shared_ptr<Mailbox> mailbox, Endpoint endpoint, Request request, Reply reply)
    : CallState(std::move(mailbox), std::move(endpoint), std::move(request)), reply_(std::move(reply)) {}

void UnaryCall::start(::grpc::GenericStub& stub) {
    stub.UnaryCall(&context_, request_.method, {}, &sent_, &received_,
                   [self = shared_from_this()](const ::grpc::Status& status) {
                       self->mailbox_->post([self, status] { self->finish(status); });
                   });
}

void UnaryCall::finish(const ::grpc::Status& status) {
    if (std::exchange(over_, true)) return;
    Answer answer = answer_to(status);
    if (answer) answer.message = text_of(one_slice(received_));
    received_.Clear();
    const Reply reply = std::exchange(reply_, nullptr);
    reply(std::move(answer));
}

// --- streams
// ----------------------------------------------------------------------------------------------------

// The right to read the next message. While somebody has it, gRPC keeps the call: it is given up, by reading
// on or for good, exactly once, wherever the task that carries it ends.
class StreamCall::Turn {
  public:
    explicit Turn(std::shared_ptr<StreamCall> call) : call_(std::move(call)) {}
    Turn(const Turn&) = delete;
    Turn& operator=(const Turn&) = delete;
    ~Turn() {
        if (call_) call_->RemoveHold();
    }

    void run() { call_->take_message(*this); }
    void read_on() {
        const auto call = std::exchange(call_, nullptr);
        call->received_.Clear();
        call->StartRead(&call->received_);
    }

  private:
    std::shared_ptr<StreamCall> call_;
};

StreamCall::StreamCall(std::shared_ptr<Mailbox> mailbox, Endpoint endpoint, Request request,
                       StreamHandlers handlers)
    : CallState(std::move(mailbox), std::move(endpoint), std::move(request)),
      handlers_(std::make_shared<StreamHandlers>(std::move(handlers))) {}

void StreamCall::start(::grpc::GenericStub& stub) {
    self_ = shared_from_this();
    stub.PrepareBidiStreamingCall(&context_, request_.method, {}, this);
    // Reads are started from the loop, when gRPC may have nothing else under way.
    AddHold();
    StartWriteLast(&sent_, {});
    StartRead(&received_);
    StartCall();
}

void StreamCall::OnReadDone(bool ok) {
    if (!ok) return RemoveHold();
    try {
        const auto turn = std::make_shared<Turn>(self_);
        mailbox_->post([turn] { turn->run(); });
    } catch (...) {
        RemoveHold();  // out of memory
    }
}

void StreamCall::take_message(Turn& turn) {
    if (over_) return;
    const ::grpc::Slice slice = one_slice(received_);
    const auto handlers = handlers_;
    handlers->on_message(text_of(slice));
    if (!over_) turn.read_on();
}

void StreamCall::OnDone(const ::grpc::Status& status) {
    const auto self = std::exchange(self_, nullptr);
    mailbox_->post([self, status] { self->finish(status); });
}

void StreamCall::finish(const ::grpc::Status& status) {
    if (std::exchange(over_, true)) return;
    const auto handlers = std::exchange(handlers_, nullptr);
    handlers->on_end(answer_to(status));
}

}  // namespace shorewatch::grpc
