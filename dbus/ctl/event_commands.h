// A program that is run for each event: one at a time, in the order of the events.
//
// It has the event in its environment (event_environment.h) and, as a line of JSON, on its standard input.
// Nothing of an event ever becomes a part of its command line: containers are called what their makers like.
#pragma once

#include <cstddef>
#include <deque>
#include <functional>
#include <string>
#include <vector>

#include <sys/types.h>

#include "dbus/ctl/watch_event.h"
#include "engines/support/event_loop.h"
#include "engines/support/unique_fd.h"

namespace shorewatch::ctl {

class EventCommands {
  public:
    // One printable line: which event, and how the program ended that was to be run for it.
    using OnFailure = std::function<void(const std::string& what)>;

    // The most events that wait; one more ends the command.
    static constexpr std::size_t most_waiting = 100'000;

    // command: a program, which is looked for in PATH, and its arguments.
    EventCommands(EventLoop& loop, std::vector<std::string> command, OnFailure on_failure);

    // Throws CommandError when too many wait.
    void add(WatchEvent event);

    // Drops what waits, takes nothing more, and calls done once no program runs any more. It calls done at
    // once when it is called again.
    void end(std::function<void()> done);

  private:
    void run_next();
    void run(const WatchEvent& event);
    void finish();
    void fail(const std::string& how) const;

    EventLoop& loop_;
    std::vector<std::string> command_;
    OnFailure on_failure_;
    std::deque<WatchEvent> waiting_;
    std::string running_for_;  // printable; empty: none runs
    pid_t child_ = 0;
    UniqueFd process_;
    EventSource ended_;
    std::function<void()> done_;
};

}  // namespace shorewatch::ctl
