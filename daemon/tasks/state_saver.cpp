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
}

StateSaver::Number StateSaver::change() {
    ++last_;
    if (!forbidden_ && !writing_ && !alarm_) schedule();
    return last_;
}

// By an alarm also where it is due: what else changes now is written with it.
void StateSaver::schedule() {
    alarm_ = alarms_.at(std::max(next_, surroundings_.now()), [this] { write_now(); });
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
    if (error || last_ != written) schedule();
    ended_();
}

}  // namespace shorewatch
