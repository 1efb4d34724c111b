// One sd-event loop, owned by one thread: descriptors, timers, signals, and work handed over by other
// threads.
//
// Everything but post() and stop() belongs to the thread that runs the loop. Handlers may destroy their own
// source. An exception that leaves a handler ends run(), which throws it on: no exception crosses libsystemd.
#pragma once

#include <chrono>
#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <mutex>
#include <span>
#include <vector>

#include "engines/support/unique_fd.h"

struct sd_event;
struct sd_event_source;

namespace shorewatch {

using Clock = std::chrono::steady_clock;  // CLOCK_MONOTONIC: never jumps with the wall clock.

class EventLoop;

// A registration with the loop; destroying it ends it, and its handler is not called again.
class EventSource {
  public:
    EventSource() noexcept;
    EventSource(EventSource&&) noexcept;
    EventSource& operator=(EventSource&&) noexcept;
    EventSource(const EventSource&) = delete;
    EventSource& operator=(const EventSource&) = delete;
    ~EventSource();

    explicit operator bool() const noexcept { return source_ != nullptr; }
    void reset() noexcept;

    // Changes what an io source waits for (EPOLLIN, EPOLLOUT, …; 0: nothing but errors).
    void set_io_events(std::uint32_t events);

  private:
    friend class EventLoop;
    friend class Timer;
    struct Handler;
    EventSource(sd_event_source* source, std::shared_ptr<Handler> handler) noexcept;

    sd_event_source* source_ = nullptr;
    std::shared_ptr<Handler> handler_;
};

// A timer on the monotonic clock that can be armed again and again, by its handler too.
class Timer {
  public:
    Timer(EventLoop& loop, std::function<void()> handler);
    Timer(const Timer&) = delete;
    Timer& operator=(const Timer&) = delete;
    ~Timer() = default;

    void arm_at(Clock::time_point when);
    void arm_after(Clock::duration delay);
    void disarm();
    [[nodiscard]] bool armed() const noexcept { return armed_; }

  private:
    bool armed_ = false;
    EventSource source_;
};

class EventLoop {
  public:
    EventLoop();
    ~EventLoop();
    EventLoop(const EventLoop&) = delete;
    EventLoop& operator=(const EventLoop&) = delete;

    // Calls handler(revents) whenever fd is ready. The caller keeps owning fd and closes it after the source.
    [[nodiscard]] EventSource on_io(int fd, std::uint32_t events, std::function<void(std::uint32_t)> handler);

    // Calls handler for each signal; the signal must be blocked in every thread.
    [[nodiscard]] EventSource on_signal(int signal_number, std::function<void()> handler);

    // Calls handler before each wait: for libraries whose descriptor and timeout change as they are used.
    [[nodiscard]] EventSource before_wait(std::function<void()> handler);

    // Runs task on the loop's thread, after everything posted before it. Any thread; never blocks.
    void post(std::function<void()> task);

    // Runs until stop(). Throws what a handler threw; the loop may be run again after that.
    void run();

    // Makes run() return once what is being dispatched has returned. Any thread.
    void stop();

    [[nodiscard]] sd_event* get() const noexcept { return event_; }

  private:
    friend class Timer;
    friend class EventSource;
    void fail(std::exception_ptr error) noexcept;
    void run_posted();
    void put_back(std::span<std::function<void()>> tasks);

    sd_event* event_ = nullptr;
    std::shared_ptr<const UniqueFd> wake_;
    EventSource wake_source_;
    std::exception_ptr failure_;
    bool stopped_ = false;
    std::mutex posted_mutex_;
    std::vector<std::function<void()>> posted_;  // guarded by posted_mutex_
    bool stop_posted_ = false;                   // guarded by posted_mutex_
};

}  // namespace shorewatch
