#include "engines/support/event_loop.h"

#include <cerrno>
#include <iterator>
#include <system_error>
#include <utility>

#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <systemd/sd-event.h>

namespace shorewatch {

namespace {

int check(int result, const char* what) {
    if (result < 0) throw std::system_error(-result, std::generic_category(), what);
    return result;
}

std::uint64_t to_usec(Clock::time_point when) {
    const auto usec = std::chrono::ceil<std::chrono::microseconds>(when.time_since_epoch()).count();
    return usec < 0 ? 0 : static_cast<std::uint64_t>(usec);
}

}  // namespace

// Kept alive by its source and, while it runs, by the trampoline: a handler may destroy its own source.
struct EventSource::Handler : std::enable_shared_from_this<Handler> {
    Handler(EventLoop& event_loop, std::function<void(std::uint32_t)> function)
        : loop(event_loop), call(std::move(function)) {}

    EventLoop& loop;
    std::function<void(std::uint32_t)> call;

    int run(std::uint32_t revents) noexcept {
        const auto keep = weak_from_this().lock();
        try {
            call(revents);
        } catch (...) {
            loop.fail(std::current_exception());
        }
        return 0;
    }

    static int on_io(sd_event_source*, int, std::uint32_t revents, void* self) {
        return static_cast<Handler*>(self)->run(revents);
    }
    static int on_time(sd_event_source*, std::uint64_t, void* self) {
        return static_cast<Handler*>(self)->run(0);
    }
    static int on_signal(sd_event_source*, const struct signalfd_siginfo*, void* self) {
        return static_cast<Handler*>(self)->run(0);
    }
    static int on_plain(sd_event_source*, void* self) { return static_cast<Handler*>(self)->run(0); }
};

EventSource::EventSource() noexcept = default;

EventSource::EventSource(sd_event_source* source, std::shared_ptr<Handler> handler) noexcept
    : source_(source), handler_(std::move(handler)) {}

EventSource::EventSource(EventSource&& other) noexcept
    : source_(std::exchange(other.source_, nullptr)), handler_(std::move(other.handler_)) {}

EventSource& EventSource::operator=(EventSource&& other) noexcept {
    if (this != &other) {
        reset();
        source_ = std::exchange(other.source_, nullptr);
        handler_ = std::move(other.handler_);
    }
    return *this;
}

EventSource::~EventSource() {
    reset();
}

void EventSource::reset() noexcept {
    sd_event_source_disable_unref(std::exchange(source_, nullptr));
    // Released last, and by way of a local: its captures may own this very source.
    const auto handler = std::move(handler_);
}

void EventSource::set_io_events(std::uint32_t events) {
    check(sd_event_source_set_io_events(source_, events), "change what a descriptor is watched for");
}

Timer::Timer(EventLoop& loop, std::function<void()> handler) {
    auto state =
        std::make_shared<EventSource::Handler>(loop, [this, call = std::move(handler)](std::uint32_t) {
            armed_ = false;
            call();
        });
    sd_event_source* source = nullptr;
    // Accuracy 1 µs: zero would mean sd-event's default of 250 ms.
    check(sd_event_add_time(loop.get(), &source, CLOCK_MONOTONIC, 0, 1, EventSource::Handler::on_time,
                            state.get()),
          "add a timer");
    source_ = EventSource(source, std::move(state));
    disarm();
}

void Timer::arm_at(Clock::time_point when) {
    check(sd_event_source_set_time(source_.source_, to_usec(when)), "set a timer");
    check(sd_event_source_set_enabled(source_.source_, SD_EVENT_ONESHOT), "arm a timer");
    armed_ = true;
}

void Timer::arm_after(Clock::duration delay) {
    arm_at(Clock::now() + delay);
}

void Timer::disarm() {
    check(sd_event_source_set_enabled(source_.source_, SD_EVENT_OFF), "disarm a timer");
    armed_ = false;
}

EventLoop::EventLoop() : wake_(std::make_shared<const UniqueFd>(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK))) {
    if (!*wake_) throw std::system_error(errno, std::generic_category(), "create an eventfd");
    check(sd_event_new(&event_), "create an event loop");
    wake_source_ = on_io(wake_->get(), EPOLLIN, [this](std::uint32_t) { run_posted(); });
}

EventLoop::~EventLoop() {
    wake_source_.reset();
    sd_event_unref(event_);
}

EventSource EventLoop::on_io(int fd, std::uint32_t events, std::function<void(std::uint32_t)> handler) {
    auto state = std::make_shared<EventSource::Handler>(*this, std::move(handler));
    sd_event_source* source = nullptr;
    check(sd_event_add_io(event_, &source, fd, events, EventSource::Handler::on_io, state.get()),
          "watch a descriptor");
    return {source, std::move(state)};
}

EventSource EventLoop::on_signal(int signal_number, std::function<void()> handler) {
    auto state =
        std::make_shared<EventSource::Handler>(*this, [call = std::move(handler)](std::uint32_t) { call(); });
    sd_event_source* source = nullptr;
    check(sd_event_add_signal(event_, &source, signal_number, EventSource::Handler::on_signal, state.get()),
          "watch a signal");
    return {source, std::move(state)};
}

EventSource EventLoop::before_wait(std::function<void()> handler) {
    // A prepare callback needs a source to sit on; this one never fires by itself.
    auto state =
        std::make_shared<EventSource::Handler>(*this, [call = std::move(handler)](std::uint32_t) { call(); });
    sd_event_source* source = nullptr;
    check(sd_event_add_time(event_, &source, CLOCK_MONOTONIC, UINT64_MAX, 0, EventSource::Handler::on_time,
                            state.get()),
          "add a prepare handler");
    EventSource result{source, std::move(state)};
    check(sd_event_source_set_prepare(source, EventSource::Handler::on_plain), "add a prepare handler");
    return result;
}

void EventLoop::post(std::function<void()> task) {
    // Its own: what is posted may be the end of the loop.
    const std::shared_ptr<const UniqueFd> wake = wake_;
    bool is_first = false;
    {
        const std::lock_guard lock(posted_mutex_);
        posted_.push_back(std::move(task));
        is_first = posted_.size() == 1;
    }
    // Without the lock, for which the loop would otherwise wake up only to wait.
    if (is_first) eventfd_write(wake->get(), 1);
}

void EventLoop::run_posted() {
    eventfd_t count = 0;
    eventfd_read(wake_->get(), &count);
    std::vector<std::function<void()>> tasks;
    {
        const std::lock_guard lock(posted_mutex_);
        tasks.swap(posted_);
        stopped_ = std::exchange(stop_posted_, false);
    }
    for (auto task = tasks.begin(); task != tasks.end(); ++task) {
        try {
            (*task)();
        } catch (...) {
            put_back({std::next(task), tasks.end()});
            throw;
        }
    }
}

void EventLoop::put_back(std::span<std::function<void()>> tasks) {
    const std::lock_guard lock(posted_mutex_);
    posted_.insert(posted_.begin(), std::make_move_iterator(tasks.begin()),
                   std::make_move_iterator(tasks.end()));
    if (!posted_.empty()) eventfd_write(wake_->get(), 1);
}

void EventLoop::run() {
    stopped_ = false;
    failure_ = nullptr;
    while (!stopped_) {
        const int result = sd_event_run(event_, UINT64_MAX);
        if (result < 0 && result != -EINTR) check(result, "run an event loop");
        if (failure_) std::rethrow_exception(std::exchange(failure_, nullptr));
    }
}

void EventLoop::stop() {
    const std::lock_guard lock(posted_mutex_);
    stop_posted_ = true;
    eventfd_write(wake_->get(), 1);
}

void EventLoop::fail(std::exception_ptr error) noexcept {
    if (!failure_) failure_ = std::move(error);
}

}  // namespace shorewatch
