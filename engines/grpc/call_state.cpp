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

Answer CallState::answer() const {
    Answer answer;
    answer.code = static_cast<Code>(status_.error_code());
    if (answer) return answer;
    answer.error = status_error(request_.purpose, home_.endpoint,
                                {status_.error_code(), status_.error_message(), request_.deadline});
    return answer;
}

// --- unary
// ------------------------------------------------------------------------------------------------------

UnaryCall::UnaryCall(const Home& home, Request request, Reply reply)
    : CallState(home, std::move(request)), reply_(std::move(reply)) {}

void UnaryCall::start(::grpc::GenericStub& stub) {
    hostage_ = std::make_unique<Hostage<UnaryCall>>(home_.census, shared_from_this());
    reader_ = stub.PrepareUnaryCall(&context_, request_.method, sent_, home_.queue);
    reader_->StartCall();
    reader_->Finish(&received_, &status_, tag());
}

void UnaryCall::done(bool) noexcept {
    // Let go of at the end of this, the ticket last.
    const auto hostage = std::move(hostage_);
    home_.mailbox->post([call = hostage->call] { call->finish(); });
}

void UnaryCall::finish() {
    if (std::exchange(over_, true)) return;
    Answer found = answer();
    if (found) found.message = text_of(one_slice(received_));
    received_.Clear();
    const Reply reply = std::exchange(reply_, nullptr);
    reply(std::move(found));
}

// --- streams
// ----------------------------------------------------------------------------------------------------

StreamCall::StreamCall(const Home& home, Request request, StreamHandlers handlers)
    : CallState(home, std::move(request)), handlers_(std::make_shared<StreamHandlers>(std::move(handlers))) {}

void StreamCall::start(::grpc::GenericStub& stub) {
    hostage_ = std::make_unique<Hostage<StreamCall>>(home_.census, shared_from_this());
    // The call begins with its one message: no word of its own that it has begun.
    context_.set_initial_metadata_corked(true);
    stream_ = stub.PrepareCall(&context_, request_.method, home_.queue);
    stream_->StartCall(nullptr);
    stream_->WriteLast(sent_, {}, tag());
}

void StreamCall::done(bool ok) noexcept {
    Step next = Step::finishing;
    {
        const std::lock_guard lock(mutex_);
        if (step_ == Step::finishing) {
            next = Step::over;
        } else if (ok && !given_up_) {
            next = step_ == Step::writing ? Step::reading : Step::handing_over;
        }
        step_ = next;
    }
    switch (next) {
        case Step::reading:
            return read();
        case Step::handing_over:
            return home_.mailbox->post([call = hostage_->call] { call->take_message(); });
        case Step::over: {
            // Let go of at the end of this, the ticket last.
            const auto hostage = std::move(hostage_);
            return home_.mailbox->post([call = hostage->call] { call->finish(); });
        }
        default:
            return wind_up();
    }
}

void StreamCall::read() {
    stream_->Read(&received_, tag());
}

void StreamCall::wind_up() {
    stream_->Finish(&status_, tag());
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
        step_ = Step::reading;
    }
    read();
}

void StreamCall::give_up() noexcept {
    handlers_.reset();
    {
        const std::lock_guard lock(mutex_);
        given_up_ = true;
        // What is under way ends with the call, and leads to the end.
        if (step_ != Step::handing_over) return;
        step_ = Step::finishing;
    }
    wind_up();
}

void StreamCall::finish() {
    if (std::exchange(over_, true)) return;
    const auto handlers = std::exchange(handlers_, nullptr);
    handlers->on_end(answer());
}

}  // namespace shorewatch::grpc
