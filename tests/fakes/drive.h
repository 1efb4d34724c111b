// Running an EventLoop in a test: on the test's own thread until something holds, or on a thread beside it.
#pragma once

#include <chrono>
#include <exception>
#include <functional>
#include <future>
#include <memory>
#include <thread>
#include <type_traits>
#include <utility>

#include "engines/support/event_loop.h"

namespace shorewatch::fakes {

// How long a test waits for what must happen before it fails. Nothing takes this long that works.
inline constexpr std::chrono::seconds patience{60};

// Runs loop on this thread until `until` holds, which is asked before each wait of the loop; returns what it
// says in the end. What another thread makes true is seen only when the loop wakes: let that thread post
// something (FakeDocker::wakes does).
[[nodiscard]] bool drive(EventLoop& loop, const std::function<bool()>& until,
                         Clock::duration limit = patience);

// A loop on a thread of its own, as a watcher has it.
class LoopThread {
  public:
    LoopThread();
    // Stops the loop and joins. What lives on the loop must be destroyed on it before, by run().
    ~LoopThread();
    LoopThread(const LoopThread&) = delete;
    LoopThread& operator=(const LoopThread&) = delete;

    [[nodiscard]] EventLoop& loop() noexcept { return *loop_; }

    // Runs function on the loop's thread, waits for its end, returns what it returned or throws what it
    // threw. Not to be called on that thread.
    template <typename Function>
    auto run(Function function) -> std::invoke_result_t<Function> {
        auto task =
            std::make_shared<std::packaged_task<std::invoke_result_t<Function>()>>(std::move(function));
        auto result = task->get_future();
        loop_->post([task] { (*task)(); });
        return result.get();
    }

    [[nodiscard]] bool is_current() const noexcept { return std::this_thread::get_id() == thread_.get_id(); }

    // What a handler threw, if any did; the loop goes on after it.
    [[nodiscard]] std::exception_ptr failure();

  private:
    void serve() noexcept;

    std::unique_ptr<EventLoop> loop_ = std::make_unique<EventLoop>();
    bool ending_ = false;         // the loop's thread only
    std::exception_ptr failure_;  // the loop's thread only
    std::thread thread_;
};

}  // namespace shorewatch::fakes
