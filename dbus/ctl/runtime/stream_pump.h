// Bytes from one descriptor to another, as they come and as they are taken.
#pragma once

#include <array>
#include <cstddef>
#include <functional>
#include <memory>

#include "engines/support/event_loop.h"

namespace shorewatch::ctl {

// Holds no more than a piece: whoever writes waits for whoever reads. Never blocks, whatever the descriptors
// are: pipes, sockets, terminals, and files, which can't be waited for and are always ready.
class StreamPump {
  public:
    // error: 0 when all that there was has been written; otherwise why no more can be, EPIPE when the reader
    // has gone.
    using OnEnd = std::function<void(int error)>;

    // The caller keeps both open. on_end is called once at most, by the loop. SIGPIPE is ignored.
    StreamPump(EventLoop& loop, int from, int to, OnEnd on_end);
    ~StreamPump();
    StreamPump(const StreamPump&) = delete;
    StreamPump& operator=(const StreamPump&) = delete;

  private:
    struct Gate;

    void turn();
    void read();
    void write();
    void wait();
    void end(int error);

    EventLoop& loop_;
    int from_;
    int to_;
    OnEnd on_end_;
    EventSource readable_;  // empty for what needs no waiting: files, and what has no writer any more
    EventSource writable_;  // empty for files
    std::shared_ptr<Gate> gate_;
    std::array<char, 65536> piece_;
    std::size_t begin_ = 0;  // of what waits in piece_
    std::size_t end_ = 0;
    bool ended_ = false;
};

}  // namespace shorewatch::ctl
