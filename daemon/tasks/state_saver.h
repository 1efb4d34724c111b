// When the state is written: soon after a change, at most once a second unless somebody waits for it, and
// again as long as it can't be.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <string>

#include "daemon/tasks/alarms.h"
#include "daemon/tasks/surroundings.h"

namespace shorewatch {

class StateSaver {
  public:
    // Of the changes, by number; 0: none.
    using Number = std::uint64_t;

    static constexpr Clock::duration least_interval = std::chrono::seconds(1);
    static constexpr Clock::duration longest_pause = std::chrono::minutes(5);

    // write: the state's text as it is now. ended is called after each attempt. surroundings and alarms
    // outlive this.
    StateSaver(TaskSurroundings& surroundings, Alarms& alarms, std::function<std::string()> write,
               std::function<void()> ended);
    StateSaver(const StateSaver&) = delete;
    StateSaver& operator=(const StateSaver&) = delete;
    // Writes what is not written yet.
    ~StateSaver();

    // Nothing is written from now on; why: one printable line on what there is instead.
    void forbid(const std::string& why);
    // There is something new to write; its number.
    Number change();
    // Is it where it outlives the machine, or was that tried in vain?
    [[nodiscard]] bool was_tried(Number change) const noexcept { return forbidden_ || change <= tried_; }
    // Somebody waits for all changes so far, so they are written without delay. then is called once they
    // were tried: now if they are, and otherwise after an attempt. It is dropped when this goes.
    void when_tried(std::function<void()> then);
    // Why what is known is not where it outlives us; empty: it is, or will be.
    [[nodiscard]] const std::string& trouble() const noexcept { return trouble_; }

  private:
    struct Waiting {
        Number change;
        std::function<void()> then;
    };

    void schedule();
    void write_now();
    void tell_waiting();
    void finish(Number written, const std::optional<std::string>& error);

    TaskSurroundings& surroundings_;
    Alarms& alarms_;
    std::function<std::string()> write_;
    std::function<void()> ended_;
    Number last_ = 0;
    Number tried_ = 0;
    bool forbidden_ = false;
    bool writing_ = false;
    Clock::time_point next_{};  // not before
    Clock::duration pause_ = least_interval;
    Alarm alarm_;
    std::string trouble_;
    std::deque<Waiting> waiting_;  // by their changes
    // Of the callback, which may come after this.
    std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace shorewatch
