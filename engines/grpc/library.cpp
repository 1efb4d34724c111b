#include "engines/grpc/library.h"

#include <grpc/grpc.h>
#include <pthread.h>

#include "engines/grpc/library_inside.h"
#include "engines/support/log.h"

// ThreadSanitizer does not see how gRPC hands a call from one thread to the other: Debian's is built without
// it.
#ifdef __SANITIZE_THREAD__
#define SHOREWATCH_TSAN 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define SHOREWATCH_TSAN 1
#endif
#endif
#ifdef SHOREWATCH_TSAN
#include <sanitizer/tsan_interface.h>
#endif

namespace shorewatch::grpc {

namespace {

constexpr std::chrono::milliseconds patience{500};

}  // namespace

void Census::add() noexcept {
    const std::lock_guard lock(mutex_);
    ++count_;
}

void Census::remove() noexcept {
    const std::lock_guard lock(mutex_);
    if (--count_ == 0) none_.notify_all();
}

bool Census::wait_until_none(std::chrono::milliseconds limit) {
    std::unique_lock lock(mutex_);
    return none_.wait_for(lock, limit, [this] { return count_ == 0; });
}

void* QueueTag::tag() noexcept {
#ifdef SHOREWATCH_TSAN
    __tsan_release(this);
#endif
    return this;
}

void QueueTag::take(void* tag, bool ok) noexcept {
#ifdef SHOREWATCH_TSAN
    __tsan_acquire(tag);
#endif
    static_cast<QueueTag*>(tag)->done(ok);
}

Library::Inside::Inside() {
    thread_ = std::thread([this] {
        ::pthread_setname_np(::pthread_self(), "grpc");
        void* tag = nullptr;
        bool ok = false;
        while (queue.Next(&tag, &ok))
            QueueTag::take(tag, ok);
    });
}

Library::Inside::~Inside() {
    queue.Shutdown();
    thread_.join();
}

void Library::Inside::keep(std::shared_ptr<::grpc::Channel> channel) {
    std::erase_if(channels, [](const auto& other) { return other.use_count() == 1; });
    channels.push_back(std::move(channel));
}

Library::Library() {
    grpc_init();
    inside_ = std::make_unique<Inside>();
}

Library::~Library() {
    if (!inside_->census->wait_until_none(patience)) {
        log::warning("gRPC does not come to an end with its calls; going on without it");
        // To be lost on one of gRPC's threads would end the process: never, rather.
        static_cast<void>(inside_.release());  // NOLINT(bugprone-unused-return-value)
        return;
    }
    inside_.reset();
    grpc_shutdown();
}

}  // namespace shorewatch::grpc
