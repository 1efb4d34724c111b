#include "daemon/change_queue.h"

#include <algorithm>
#include <iterator>
#include <utility>

namespace shorewatch {

void ChangeQueue::push(WatcherNumber watcher, Change change) {
    {
        const std::lock_guard lock(mutex_);
        if (!changes_.empty() && std::holds_alternative<EngineChanged>(change)) {
            QueuedChange& last = changes_.back();
            if (last.watcher == watcher && std::holds_alternative<EngineChanged>(last.change)) {
                last.change = std::move(change);
                return;
            }
        }
        changes_.push_back({watcher, std::move(change)});
        if (std::exchange(wake_posted_, true)) return;
    }
    // Without the lock, which is the first thing that the main thread wants.
    wake();
}

void ChangeQueue::wake() {
    loop_.post([weak = std::weak_ptr(self_)] {
        if (const auto self = weak.lock()) (*self)->drain();
    });
}

std::size_t ChangeQueue::size() const {
    const std::lock_guard lock(mutex_);
    return changes_.size();
}

void ChangeQueue::drain() {
    std::vector<QueuedChange> taken;
    {
        const std::lock_guard lock(mutex_);
        const auto end = changes_.begin() + static_cast<std::ptrdiff_t>(std::min(changes_.size(), batch));
        taken.assign(std::make_move_iterator(changes_.begin()), std::make_move_iterator(end));
        changes_.erase(changes_.begin(), end);
        wake_posted_ = !changes_.empty();
        if (wake_posted_) wake();
    }
    // A drain that was on its way already may have taken what this one was to.
    if (!taken.empty()) consume_(std::move(taken));
}

}  // namespace shorewatch
