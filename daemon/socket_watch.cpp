#include "daemon/socket_watch.h"

#include <array>
#include <cerrno>
#include <cstring>
#include <system_error>
#include <utility>

#include <sys/epoll.h>
#include <sys/inotify.h>

namespace shorewatch {

namespace {

constexpr std::uint32_t interesting = IN_CREATE | IN_MOVED_TO | IN_ATTRIB | IN_DELETE_SELF | IN_MOVE_SELF;

}  // namespace

SocketWatch::SocketWatch(EventLoop& loop, std::filesystem::path path, std::function<void()> changed)
    : path_(std::move(path)),
      changed_(std::move(changed)),
      inotify_(inotify_init1(IN_CLOEXEC | IN_NONBLOCK)) {
    if (!inotify_)
        throw std::system_error(errno, std::generic_category(), "watch for a socket (inotify_init1)");
    watch_nearest();
    source_ = loop.on_io(inotify_.get(), EPOLLIN, [this](std::uint32_t) { on_readable(); });
}

void SocketWatch::watch_nearest() {
    if (watch_ >= 0) inotify_rm_watch(inotify_.get(), watch_);
    std::filesystem::path folder = path_.parent_path();
    awaited_ = path_.filename();
    while (true) {
        watch_ = inotify_add_watch(inotify_.get(), folder.c_str(), interesting | IN_ONLYDIR);
        const bool not_there = errno == ENOENT || errno == ENOTDIR;
        if (watch_ >= 0 || !not_there || folder == folder.root_path()) break;
        awaited_ = folder.filename();
        folder = folder.parent_path();
    }
    if (watch_ < 0) {
        throw std::system_error(errno, std::generic_category(), "watch " + folder.string() + " for a socket");
    }
    // What was made between the look-up that failed and the watch makes no event.
    std::error_code ignored;
    const std::filesystem::path next = folder / awaited_;
    if (next != path_ && std::filesystem::is_directory(next, ignored)) watch_nearest();
}

void SocketWatch::on_readable() {
    alignas(inotify_event) std::array<char, 4096> buffer{};
    bool concerns_us = false;
    bool way_changed = false;
    while (true) {
        const ssize_t size = read(inotify_.get(), buffer.data(), buffer.size());
        if (size <= 0) break;
        for (ssize_t at = 0; at < size;) {
            inotify_event event{};
            std::memcpy(&event, buffer.data() + at, sizeof event);
            const char* name = event.len > 0 ? buffer.data() + at + sizeof event : "";
            at += static_cast<ssize_t>(sizeof event + event.len);
            const bool lost = (event.mask & (IN_Q_OVERFLOW | IN_DELETE_SELF | IN_MOVE_SELF)) != 0;
            const bool awaited = awaited_ == name;
            concerns_us = concerns_us || lost || awaited;
            way_changed = way_changed || lost || (awaited && (event.mask & IN_ISDIR) != 0);
        }
    }
    if (way_changed) watch_nearest();
    if (concerns_us) changed_();
}

}  // namespace shorewatch
