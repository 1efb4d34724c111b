#include "dbus/ctl/runtime/raw_terminal.h"

#include <cerrno>
#include <system_error>

#include <fmt/format.h>
#include <sys/ioctl.h>

#include "dbus/ctl/exit_code.h"

namespace shorewatch::ctl {

namespace {

// Once what was written before is out. It is interrupted by signals that stop and continue us.
void set(int fd, const termios& mode) noexcept {
    while (::tcsetattr(fd, TCSADRAIN, &mode) != 0 && errno == EINTR) {
    }
}

}  // namespace

RawTerminal::RawTerminal(int fd) : fd_(fd) {
    if (::tcgetattr(fd, &before_) != 0) {
        throw CommandError(ExitCode::refused, fmt::format("cannot set the terminal up: {}",
                                                          std::generic_category().message(errno)));
    }
    raw_ = before_;
    ::cfmakeraw(&raw_);
    make_raw();
}

RawTerminal::~RawTerminal() {
    restore();
}

void RawTerminal::restore() noexcept {
    set(fd_, before_);
}

void RawTerminal::make_raw() noexcept {
    set(fd_, raw_);
}

std::optional<TerminalSize> terminal_size(int fd) {
    winsize size{};
    if (::ioctl(fd, TIOCGWINSZ, &size) != 0) return std::nullopt;
    return TerminalSize{size.ws_col, size.ws_row};
}

}  // namespace shorewatch::ctl
