#include "daemon/socket_watch.h"

#include <cerrno>
#include <utility>

#include <sys/epoll.h>

namespace shorewatch {

namespace {

constexpr std::uint32_t interesting = IN_CREATE | IN_MOVED_TO | IN_ATTRIB | IN_DELETE_SELF | IN_MOVE_SELF;

}  // namespace

SocketWatch::SocketWatch(EventLoop& loop, std::filesystem::path path, std::function<void()> changed)
    : path_(std::move(path)), changed_(std::move(changed)), inotify_("watch for a socket") {
    watch_nearest();
    source_ = loop.on_io(inotify_.fd(), EPOLLIN, [this](std::uint32_t) { on_readable(); });
}

void SocketWatch::watch_nearest() {
    if (watch_ >= 0) inotify_.remove(watch_);
    std::filesystem::path folder = path_.parent_path();
    awaited_ = path_.filename();
    while (true) {
        watch_ = inotify_.add(folder, interesting | IN_ONLYDIR);
        const bool not_there = errno == ENOENT || errno == ENOTDIR;
        if (watch_ >= 0 || !not_there || folder == folder.root_path()) break;
        awaited_ = folder.filename();
        folder = folder.parent_path();
    }
    if (watch_ < 0) throw Inotify::failure(errno, "watch " + folder.string() + " for a socket");
    // What was made between the look-up that failed and the watch makes no event.
    std::error_code ignored;
    const std::filesystem::path next = folder / awaited_;
    if (next != path_ && std::filesystem::is_directory(next, ignored)) watch_nearest();
}

void SocketWatch::on_readable() {
    bool concerns_us = false;
    bool way_changed = false;
    inotify_.read([&](const inotify_event& event, std::string_view name) {
        const bool lost = (event.mask & (IN_Q_OVERFLOW | IN_DELETE_SELF | IN_MOVE_SELF)) != 0;
        const bool awaited = awaited_ == name;
        concerns_us = concerns_us || lost || awaited;
        way_changed = way_changed || lost || (awaited && (event.mask & IN_ISDIR) != 0);
    });
    if (way_changed) watch_nearest();
    if (concerns_us) changed_();
}

}  // namespace shorewatch
