#include "daemon/tasks/state_saver.h"

#include <algorithm>
#include <optional>
#include <utility>

namespace shorewatch {

StateSaver::StateSaver(TaskSurroundings& surroundings, Alarms& alarms, std::function<std::string()> write,
                       std::function<void()> ended)
    : surroundings_(surroundings), alarms_(alarms), write_(std::move(write)), ended_(std::move(ended)) {}

StateSaver::~StateSaver() {
    const bool is_behind = alarm_ || (writing_ && last_ != tried_) || !trouble_.empty();
    if (!forbidden_ && is_behind) surroundings_.save(write_(), [](const std::optional<std::string>&) {});
}

void StateSaver::forbid(const std::string& why) {
    forbidden_ = true;
    trouble_ = why;
    tell_waiting();
}

StateSaver::Number StateSaver::change() {
    ++last_;
    if (!forbidden_ && !writing_ && !alarm_) schedule();
    return last_;
}

void StateSaver::when_tried(std::function<void()> then) {
    if (was_tried(last_)) return then();
    waiting_.push_back({last_, std::move(then)});
    // What is being written now may not have it yet; the next attempt follows at once then.
    if (!writing_) schedule();
}

// By an alarm also where it is due: what else changes now is written with it.
void StateSaver::schedule() {
    const Clock::time_point now = surroundings_.now();
    alarm_ = alarms_.at(waiting_.empty() ? std::max(next_, now) : now, [this] { write_now(); });
}

void StateSaver::write_now() {
    writing_ = true;
    next_ = surroundings_.now() + least_interval;
    surroundings_.save(write_(), [this, alive = std::weak_ptr(alive_),
                                  number = last_](const std::optional<std::string>& error) {
        if (!alive.expired()) finish(number, error);
    });
}

void StateSaver::finish(Number written, const std::optional<std::string>& error) {
    writing_ = false;
    tried_ = written;
    trouble_ = error.value_or("");
    if (error) {
        next_ = surroundings_.now() + pause_;
        pause_ = std::min(pause_ * 2, longest_pause);
    } else {
        pause_ = least_interval;
    }
    tell_waiting();
    if (error || last_ != written) schedule();
    ended_();
}

// Whoever is told may wait for more.
void StateSaver::tell_waiting() {
    while (!waiting_.empty() && was_tried(waiting_.front().change)) {
        const std::function<void()> then = std::move(waiting_.front().then);
        waiting_.pop_front();
        then();
    }
}

}  // namespace shorewatch
