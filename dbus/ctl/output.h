// The standard output: whole answers, and lines as they come. And the standard error.
#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "dbus/ctl/exit_code.h"
#include "engines/support/event_loop.h"

namespace shorewatch::ctl {

// Writes all of text to the standard output. Throws CommandError when it can't be written.
void write_answer(std::string_view text);

// A line on the standard error that begins with "shorewatchctl: ", whatever text holds.
void write_complaint(const std::string& text) noexcept;

// Lines to a descriptor that may be slow: they wait here, not in a blocking write, while the loop goes on
// reading the bus. A bus stalls whoever sends to a client that does not read.
class LineOutput {
  public:
    // error: why it ended; absent when the reader has gone, which is no error.
    using OnEnd = std::function<void(std::optional<CommandError> error)>;

    // The most that waits, in bytes; a reader that is further behind ends the output.
    static constexpr std::size_t most_waiting = std::size_t{64} << 20U;

    // on_end is called once at most. The caller keeps owning fd and has SIGPIPE ignored.
    LineOutput(EventLoop& loop, int fd, OnEnd on_end);

    // Takes a line without its newline. Does nothing once the output has ended.
    void write(std::string_view line);

  private:
    void flush();
    [[nodiscard]] bool is_writable() const;
    void end(std::optional<CommandError> error);

    int fd_;
    OnEnd on_end_;
    std::string waiting_;
    std::size_t written_ = 0;  // of waiting_
    bool ended_ = false;
    EventSource source_;  // of pipes, sockets and terminals; files are always ready
};

}  // namespace shorewatch::ctl
