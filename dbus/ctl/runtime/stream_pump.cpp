#include "dbus/ctl/runtime/stream_pump.h"

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <system_error>
#include <utility>

#include <poll.h>
#include <sys/epoll.h>
#include <unistd.h>

namespace shorewatch::ctl {

namespace {

// What a pipe that polls as writable takes without blocking: descriptors may be shared with others, whom
// O_NONBLOCK would surprise.
constexpr std::size_t most_at_once = 4096;

// EPOLLIN or EPOLLOUT; for a file, which epoll refuses, nothing.
EventSource source_of(EventLoop& loop, int fd, std::function<void(std::uint32_t)> handler) {
    try {
        return loop.on_io(fd, 0, std::move(handler));
    } catch (const std::system_error& error) {
        if (error.code().value() == EPERM) return {};
        throw;
    }
}

bool is_ready(int fd, short events) {
    pollfd state{.fd = fd, .events = events, .revents = 0};
    return ::poll(&state, 1, 0) == 1;
}

}  // namespace

// What the loop has been handed finds nobody once the pump is gone.
struct StreamPump::Gate {
    StreamPump* pump;
};

StreamPump::StreamPump(EventLoop& loop, int from, int to, OnEnd on_end)
    : loop_(loop),
      from_(from),
      to_(to),
      on_end_(std::move(on_end)),
      readable_(source_of(loop, from,
                          [this](std::uint32_t events) {
                              // It is told again and again, also while nothing is to be read.
                              if ((events & (EPOLLERR | EPOLLHUP)) != 0) readable_.reset();
                              turn();
                          })),
      writable_(source_of(loop, to,
                          [this](std::uint32_t events) {
                              if ((events & (EPOLLERR | EPOLLHUP)) != 0) return end(EPIPE);
                              turn();
                          })),
      gate_(std::make_shared<Gate>(Gate{this})) {
    wait();
}

StreamPump::~StreamPump() {
    gate_->pump = nullptr;
}

void StreamPump::turn() {
    if (begin_ == end_) read();
    if (begin_ != end_) write();
    if (!ended_) wait();
}

void StreamPump::read() {
    if (readable_ && !is_ready(from_, POLLIN)) return;
    const ssize_t count = ::read(from_, piece_.data(), piece_.size());
    if (count > 0) {
        begin_ = 0;
        end_ = static_cast<std::size_t>(count);
    } else if (count == 0 || (errno != EINTR && errno != EAGAIN)) {
        // EIO too: a terminal whose other side has gone.
        end(0);
    }
}

void StreamPump::write() {
    while (begin_ != end_ && !ended_ && (!writable_ || is_ready(to_, POLLOUT))) {
        const std::size_t most = writable_ ? std::min(end_ - begin_, most_at_once) : end_ - begin_;
        const ssize_t count = ::write(to_, piece_.data() + begin_, most);
        if (count >= 0) {
            begin_ += static_cast<std::size_t>(count);
        } else if (errno == EAGAIN) {
            return;
        } else if (errno != EINTR) {
            return end(errno);
        }
    }
}

void StreamPump::wait() {
    const bool holds = begin_ != end_;
    if (readable_) readable_.set_io_events(holds ? 0U : std::uint32_t{EPOLLIN});
    if (writable_) writable_.set_io_events(holds ? std::uint32_t{EPOLLOUT} : 0U);
    // Files have nothing to wait for: when it is their turn, it is at once, after the others of the loop.
    if (holds ? static_cast<bool>(writable_) : static_cast<bool>(readable_)) return;
    loop_.post([gate = gate_] {
        if (gate->pump != nullptr && !gate->pump->ended_) gate->pump->turn();
    });
}

// Told by the loop: its handler may destroy us, who are at work here.
void StreamPump::end(int error) {
    if (std::exchange(ended_, true)) return;
    readable_.reset();
    writable_.reset();
    begin_ = end_ = 0;
    loop_.post([gate = gate_, error] {
        if (gate->pump == nullptr) return;
        const OnEnd on_end = std::move(gate->pump->on_end_);
        on_end(error);
    });
}

}  // namespace shorewatch::ctl
