#include "dbus/ctl/output.h"

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <system_error>

#include <fmt/format.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/stat.h>
#include <unistd.h>

#include "engines/support/text.h"

namespace shorewatch::ctl {

namespace {

// A pipe, socket or terminal that polls as writable takes this much without blocking (PIPE_BUF; unix sockets
// more).
constexpr std::size_t piece = 4096;

CommandError write_error(int error) {
    return {ExitCode::refused,
            fmt::format("cannot write to the standard output: {}; free space, or write elsewhere",
                        std::generic_category().message(error))};
}

bool can_be_polled(int fd) {
    struct stat status{};
    if (fstat(fd, &status) != 0) return false;
    return S_ISFIFO(status.st_mode) || S_ISSOCK(status.st_mode) || isatty(fd) == 1;
}

}  // namespace

void write_answer(std::string_view text) {
    while (!text.empty()) {
        const ssize_t count = ::write(STDOUT_FILENO, text.data(), text.size());
        if (count < 0 && errno == EAGAIN) {  // Somebody else made it non-blocking.
            pollfd state{.fd = STDOUT_FILENO, .events = POLLOUT, .revents = 0};
            ::poll(&state, 1, -1);
            continue;
        }
        if (count < 0 && errno == EINTR) continue;
        if (count < 0) throw write_error(errno);
        text.remove_prefix(static_cast<std::size_t>(count));
    }
}

void write_complaint(const std::string& text) noexcept {
    (void)std::fprintf(stderr, "shorewatchctl: %s\n", printable(text).c_str());
}

LineOutput::LineOutput(EventLoop& loop, int fd, OnEnd on_end) : fd_(fd), on_end_(std::move(on_end)) {
    if (!can_be_polled(fd)) return;
    source_ = loop.on_io(fd, 0, [this](std::uint32_t events) {
        if ((events & (EPOLLERR | EPOLLHUP)) != 0) return end(std::nullopt);  // The reader has closed it.
        flush();
    });
}

void LineOutput::write(std::string_view line) {
    if (ended_) return;
    waiting_.append(line).append("\n");
    if (waiting_.size() - written_ > most_waiting) {
        return end(
            CommandError(ExitCode::refused,
                         fmt::format("cannot write to the standard output: {} MiB wait for its reader; read "
                                     "faster, or watch less with --engine, --project or --name",
                                     most_waiting >> 20U)));
    }
    flush();
}

bool LineOutput::is_writable() const {
    pollfd state{.fd = fd_, .events = POLLOUT, .revents = 0};
    return !source_ || (::poll(&state, 1, 0) == 1 && (state.revents & POLLOUT) != 0);
}

void LineOutput::flush() {
    while (written_ < waiting_.size() && is_writable()) {
        const std::size_t most = std::min(waiting_.size() - written_, source_ ? piece : waiting_.size());
        const ssize_t count = ::write(fd_, waiting_.data() + written_, most);
        if (count >= 0) {
            written_ += static_cast<std::size_t>(count);
        } else if (errno == EPIPE || errno == ECONNRESET) {
            return end(std::nullopt);
        } else if (errno == EAGAIN) {
            break;
        } else if (errno != EINTR) {
            return end(write_error(errno));
        }
    }
    // Written text is dropped in large steps only: each drop moves the rest.
    if (written_ == waiting_.size() || written_ > waiting_.size() / 2) {
        waiting_.erase(0, written_);
        written_ = 0;
    }
    if (source_) source_.set_io_events(waiting_.empty() ? 0U : std::uint32_t{EPOLLOUT});
}

void LineOutput::end(std::optional<CommandError> error) {
    if (std::exchange(ended_, true)) return;
    source_.reset();
    waiting_.clear();
    written_ = 0;
    on_end_(std::move(error));
}

}  // namespace shorewatch::ctl
