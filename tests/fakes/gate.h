// A gate that holds requests of a fake engine until the test opens it.
#pragma once

#include <functional>
#include <memory>

#include "tests/fakes/drive.h"

namespace shorewatch::fakes {

// A handle: copies are the same gate. Any thread. Starts closed; once open it stays open.
class Gate {
  public:
    Gate();

    // Lets through whoever waits and whoever comes later.
    void open();
    [[nodiscard]] bool is_open() const;

    // How many have come to the gate, open or not.
    [[nodiscard]] unsigned arrivals() const;
    // Waits until that many have come; false when they don't.
    [[nodiscard]] bool wait_for_arrivals(unsigned count, Clock::duration limit = patience) const;

    // For the fake: calls pass once when the gate is open, at once if it is, otherwise within open().
    void arrive(std::function<void()> pass) const;

  private:
    struct State;
    std::shared_ptr<State> state_;
};

}  // namespace shorewatch::fakes
