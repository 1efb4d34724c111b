#include "tests/fakes/gate.h"

#include <condition_variable>
#include <mutex>
#include <utility>
#include <vector>

namespace shorewatch::fakes {

struct Gate::State {
    mutable std::mutex mutex;
    std::condition_variable arrived;
    bool open = false;
    unsigned arrivals = 0;
    std::vector<std::function<void()>> waiting;
};

Gate::Gate() : state_(std::make_shared<State>()) {}

void Gate::open() {
    std::vector<std::function<void()>> waiting;
    {
        const std::lock_guard lock(state_->mutex);
        state_->open = true;
        waiting.swap(state_->waiting);
    }
    for (const auto& pass : waiting)
        pass();
}

bool Gate::is_open() const {
    const std::lock_guard lock(state_->mutex);
    return state_->open;
}

unsigned Gate::arrivals() const {
    const std::lock_guard lock(state_->mutex);
    return state_->arrivals;
}

bool Gate::wait_for_arrivals(unsigned count, Clock::duration limit) const {
    std::unique_lock lock(state_->mutex);
    return state_->arrived.wait_for(lock, limit, [&] { return state_->arrivals >= count; });
}

void Gate::arrive(std::function<void()> pass) const {
    {
        const std::lock_guard lock(state_->mutex);
        ++state_->arrivals;
        state_->arrived.notify_all();
        if (!state_->open) {
            state_->waiting.push_back(std::move(pass));
            return;
        }
    }
    pass();
}

}  // namespace shorewatch::fakes
