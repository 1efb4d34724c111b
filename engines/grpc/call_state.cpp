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

CallState::CallState(const Home& home, Request request) : home_(home), request_(std::move(request)) {
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
    give_up();
    context_.TryCancel();
}

Answer CallState::answer_to(const ::grpc::Status& status) const {
    Answer answer;
    answer.code = static_cast<Code>(status.error_code());
    if (answer) return answer;
    answer.error = status_error(request_.purpose, home_.endpoint,
                                {status.error_code(), status.error_message(), request_.deadline});
    return answer;
}

// --- unary
// ------------------------------------------------------------------------------------------------------

UnaryCall::UnaryCall(const Home& home, Request request, Reply reply)
    : CallState(home, std::move(request)), reply_(std::move(reply)) {}

void UnaryCall::start(::grpc::GenericStub& stub) {
    const auto hostage = std::make_shared<Hostage<UnaryCall>>(home_.census, shared_from_this());
    stub.UnaryCall(&context_, request_.method, {}, &sent_, &received_,
                   [hostage](const ::grpc::Status& status) {
                       const auto& call = hostage->call;
                       call->home_.mailbox->post([call, status] { call->finish(status); });
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

StreamCall::StreamCall(const Home& home, Request request, StreamHandlers handlers)
    : CallState(home, std::move(request)), handlers_(std::make_shared<StreamHandlers>(std::move(handlers))) {}

void StreamCall::start(::grpc::GenericStub& stub) {
    hostage_ = std::make_unique<Hostage<StreamCall>>(home_.census, shared_from_this());
    stub.PrepareBidiStreamingCall(&context_, request_.method, {}, this);
    // Reads are started from the loop, when gRPC may have nothing else under way.
    AddHold();
    StartWriteLast(&sent_, {});
    StartRead(&received_);
    StartCall();
}

void StreamCall::OnReadDone(bool ok) {
    bool ours = false;
    {
        const std::lock_guard lock(mutex_);
        ours = ours_ = ok && !given_up_;
    }
    if (!ours) return RemoveHold();
    home_.mailbox->post([call = hostage_->call] { call->take_message(); });
}

void StreamCall::take_message() {
    if (over_) return;
    const ::grpc::Slice slice = one_slice(received_);
    const auto handlers = handlers_;
    handlers->on_message(text_of(slice));
    if (over_) return;
    received_.Clear();
    {
        const std::lock_guard lock(mutex_);
        ours_ = false;
    }
    StartRead(&received_);
}

void StreamCall::give_up() noexcept {
    handlers_.reset();
    {
        const std::lock_guard lock(mutex_);
        given_up_ = true;
        // A read under way ends with the call, and lets go then.
        if (!std::exchange(ours_, false)) return;
    }
    RemoveHold();
}

void StreamCall::OnDone(const ::grpc::Status& status) {
    // Let go of at the end of this, the ticket last.
    const auto hostage = std::move(hostage_);
    home_.mailbox->post([call = hostage->call, status] { call->finish(status); });
}

void StreamCall::finish(const ::grpc::Status& status) {
    if (std::exchange(over_, true)) return;
    const auto handlers = std::exchange(handlers_, nullptr);
    handlers->on_end(answer_to(status));
}

}  // namespace shorewatch::grpc
