// Tells when a unix socket may have appeared or changed, by inotify: waiting for an engine costs nothing.
#pragma once

#include <filesystem>
#include <functional>
#include <string>

#include "daemon/inotify.h"
#include "engines/support/event_loop.h"

namespace shorewatch {

class SocketWatch {
  public:
    // changed is called after something at path was made, moved in, or given other rights; also when a folder
    // on the way to it came or went. Throws std::system_error when inotify is not to be had.
    SocketWatch(EventLoop& loop, std::filesystem::path path, std::function<void()> changed);
    SocketWatch(const SocketWatch&) = delete;
    SocketWatch& operator=(const SocketWatch&) = delete;
    ~SocketWatch() = default;

  private:
    // Watches the folder of the socket, or as much of the way to it as there is.
    void watch_nearest();
    void on_readable();

    std::filesystem::path path_;
    std::function<void()> changed_;
    Inotify inotify_;
    EventSource source_;
    int watch_ = -1;
    std::string awaited_;  // the name in the watched folder that matters
};

}  // namespace shorewatch
