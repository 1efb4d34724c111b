// What is to be done at a later time, any number of things on one clock: the loop's, or a test's.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <utility>

#include "engines/support/event_loop.h"

namespace shorewatch {

class Alarms;

// Something that is to be done once; destroying it calls it off.
class Alarm {
  public:
    Alarm() = default;
    Alarm(Alarm&& other) noexcept;
    Alarm& operator=(Alarm&& other) noexcept;
    Alarm(const Alarm&) = delete;
    Alarm& operator=(const Alarm&) = delete;
    ~Alarm() { reset(); }

    void reset() noexcept;
    // Is it still to come?
    explicit operator bool() const noexcept;

  private:
    friend class Alarms;
    using Key = std::pair<Clock::time_point, std::uint64_t>;
    using Entries = std::map<Key, std::function<void()>>;
    Alarm(const std::shared_ptr<Entries>& entries, Key key) : entries_(entries), key_(key) {}

    std::weak_ptr<Entries> entries_;
    Key key_{};
};

class Alarms {
  public:
    // wake is called with the earliest time of all when that becomes another; run_due() is wanted then.
    explicit Alarms(std::function<void(Clock::time_point)> wake) : wake_(std::move(wake)) {}
    Alarms(const Alarms&) = delete;
    Alarms& operator=(const Alarms&) = delete;
    ~Alarms() = default;

    [[nodiscard]] Alarm at(Clock::time_point when, std::function<void()> what);
    // Does what is due, in order; what that adds, too, if it is due.
    void run_due(Clock::time_point now);

  private:
    std::shared_ptr<Alarm::Entries> entries_ = std::make_shared<Alarm::Entries>();
    std::uint64_t last_ = 0;
    std::function<void(Clock::time_point)> wake_;
};

}  // namespace shorewatch
