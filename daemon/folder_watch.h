// Tells when something in a folder was made, moved or removed, by inotify; also when the folder itself comes
// or goes.
#pragma once

#include <filesystem>
#include <functional>
#include <optional>

#include "daemon/inotify.h"
#include "daemon/socket_watch.h"
#include "engines/support/event_loop.h"

namespace shorewatch {

class FolderWatch {
  public:
    // The folder need not exist. Throws std::system_error when inotify is not to be had.
    FolderWatch(EventLoop& loop, std::filesystem::path folder, std::function<void()> changed);
    FolderWatch(const FolderWatch&) = delete;
    FolderWatch& operator=(const FolderWatch&) = delete;
    ~FolderWatch() = default;

  private:
    void on_readable();
    // Of what the folder is now: one that was removed and made again is another.
    void watch_inside();

    std::filesystem::path folder_;
    std::function<void()> changed_;
    Inotify inotify_;
    EventSource source_;
    int watch_ = -1;
    SocketWatch appearance_;  // last: it calls what uses the others
};

}  // namespace shorewatch
