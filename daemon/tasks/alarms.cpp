#include "daemon/tasks/alarms.h"

namespace shorewatch {

Alarm::Alarm(Alarm&& other) noexcept
    : entries_(std::exchange(other.entries_, {})), key_(std::exchange(other.key_, {})) {}

Alarm& Alarm::operator=(Alarm&& other) noexcept {
    if (this != &other) {
        reset();
        entries_ = std::exchange(other.entries_, {});
        key_ = std::exchange(other.key_, {});
    }
    return *this;
}

void Alarm::reset() noexcept {
    const auto entries = std::exchange(entries_, {}).lock();
    if (entries) entries->erase(key_);
}

Alarm::operator bool() const noexcept {
    const auto entries = entries_.lock();
    return entries && entries->contains(key_);
}

Alarm Alarms::at(Clock::time_point when, std::function<void()> what) {
    const Alarm::Key key(when, ++last_);
    entries_->emplace(key, std::move(what));
    if (entries_->begin()->first == key) wake_(when);
    return {entries_, key};
}

void Alarms::run_due(Clock::time_point now) {
    while (!entries_->empty() && entries_->begin()->first.first <= now) {
        const auto due = entries_->extract(entries_->begin());
        due.mapped()();
    }
    if (!entries_->empty()) wake_(entries_->begin()->first.first);
}

}  // namespace shorewatch
