// The queue between the watchers' threads and the main thread: immutable changes, in order.
//
// A watcher never waits for the main thread and the main thread never for a watcher. Lifecycle changes are
// never dropped; of an engine's states only the last counts, so that states which pile up unread are folded
// into one.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <vector>

#include "daemon/change.h"
#include "engines/support/event_loop.h"

namespace shorewatch {

// Tells the watchers of one process apart, also those of one name before and after a reload.
using WatcherNumber = std::uint64_t;

struct QueuedChange {
    WatcherNumber watcher;
    Change change;
};

class ChangeQueue {
  public:
    // The most that is handed over in one turn of the main loop, so that calls on the bus are answered in
    // between.
    static constexpr std::size_t batch = 1024;

    // consume is called on loop's thread with one batch after the other, and not after the end of the queue,
    // which that thread destroys; loop outlives it.
    ChangeQueue(EventLoop& loop, std::function<void(std::vector<QueuedChange>)> consume)
        : loop_(loop), consume_(std::move(consume)) {}

    // Any thread.
    void push(WatcherNumber watcher, Change change);
    // Changes not handed over yet. Any thread.
    [[nodiscard]] std::size_t size() const;

  private:
    void wake();
    void drain();

    EventLoop& loop_;
    std::function<void(std::vector<QueuedChange>)> consume_;
    mutable std::mutex mutex_;
    std::vector<QueuedChange> changes_;  // guarded by mutex_
    bool wake_posted_ = false;           // guarded by mutex_
    // For what is posted, and may have its turn later than this has its end.
    std::shared_ptr<ChangeQueue*> self_ = std::make_shared<ChangeQueue*>(this);
};

}  // namespace shorewatch
