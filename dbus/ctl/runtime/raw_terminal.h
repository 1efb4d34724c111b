// Our terminal, while a program in a container has it: its keys go there as they are, and none of them does
// anything here.
#pragma once

#include <optional>

#include <termios.h>

#include "dbus/ctl/oci/spec.h"

namespace shorewatch::ctl {

// Raw while it lives, as far as we are left to tidy up: not after SIGKILL.
class RawTerminal {
  public:
    // fd: a terminal, which the caller keeps open. Throws CommandError.
    explicit RawTerminal(int fd);
    ~RawTerminal();
    RawTerminal(const RawTerminal&) = delete;
    RawTerminal& operator=(const RawTerminal&) = delete;

    // As it was before, and raw again: around a stop of ours. In the background, both stop us as well.
    void restore() noexcept;
    void make_raw() noexcept;

  private:
    int fd_;
    termios before_{};
    termios raw_{};
};

// The size of a terminal; nothing when fd is none.
[[nodiscard]] std::optional<TerminalSize> terminal_size(int fd);

}  // namespace shorewatch::ctl
