#include "tests/fakes/observations.h"

#include <algorithm>
#include <ranges>

namespace shorewatch::fakes {

std::size_t Seen::count(Request kind) const {
    return static_cast<std::size_t>(std::ranges::count(requests, kind, &SeenRequest::kind));
}

std::set<std::string> Seen::apis() const {
    std::set<std::string> result;
    for (const SeenRequest& request : requests) {
        if (!request.api.empty()) result.insert(request.api);
    }
    return result;
}

const SeenRequest* Seen::last(Request kind) const {
    for (const SeenRequest& request : std::views::reverse(requests)) {
        if (request.kind == kind) return &request;
    }
    return nullptr;
}

void Observations::note(const std::function<void(Seen&)>& change) {
    const std::lock_guard lock(mutex_);
    change(seen_);
    changed_.notify_all();
    for (EventLoop* loop : loops_)
        loop->post([] {});
}

Seen Observations::seen() const {
    const std::lock_guard lock(mutex_);
    return seen_;
}

bool Observations::has(const std::function<bool(const Seen&)>& happened) const {
    const std::lock_guard lock(mutex_);
    return happened(seen_);
}

bool Observations::wait_until(const std::function<bool(const Seen&)>& happened, Clock::duration limit) const {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, limit, [&] { return happened(seen_); });
}

void Observations::wakes(EventLoop& loop) {
    const std::lock_guard lock(mutex_);
    loops_.push_back(&loop);
}

}  // namespace shorewatch::fakes
