#include "tests/fakes/drive.h"

namespace shorewatch::fakes {

bool drive(EventLoop& loop, const std::function<bool()>& until, Clock::duration limit) {
    bool ended = false;
    const auto end_once = [&] {
        if (!std::exchange(ended, true)) loop.stop();
    };
    const auto check = loop.before_wait([&] {
        if (!ended && until()) end_once();
    });
    Timer deadline(loop, end_once);
    deadline.arm_after(limit);
    while (!ended)
        loop.run();
    return until();
}

LoopThread::LoopThread() : thread_([this] { serve(); }) {}

LoopThread::~LoopThread() {
    loop_->post([this] {
        ending_ = true;
        loop_->stop();
    });
    thread_.join();
}

std::exception_ptr LoopThread::failure() {
    return run([this] { return failure_; });
}

void LoopThread::serve() noexcept {
    while (!ending_) {
        try {
            loop_->run();
        } catch (...) {
            if (!failure_) failure_ = std::current_exception();
        }
    }
}

}  // namespace shorewatch::fakes
