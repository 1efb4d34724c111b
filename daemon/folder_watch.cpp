#include "daemon/folder_watch.h"

#include <utility>

#include <sys/epoll.h>

namespace shorewatch {

FolderWatch::FolderWatch(EventLoop& loop, std::filesystem::path folder, std::function<void()> changed)
    : folder_(std::move(folder)),
      changed_(std::move(changed)),
      inotify_("watch a folder"),
      appearance_(loop, folder_, [this] {
          watch_inside();
          changed_();
      }) {
    source_ = loop.on_io(inotify_.fd(), EPOLLIN, [this](std::uint32_t) { on_readable(); });
    watch_inside();
}

void FolderWatch::watch_inside() {
    constexpr std::uint32_t interesting = IN_CREATE | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO | IN_ONLYDIR;
    if (watch_ >= 0) inotify_.remove(watch_);
    watch_ = inotify_.add(folder_, interesting);
}

void FolderWatch::on_readable() {
    inotify_.read([](const inotify_event&, std::string_view) {});
    changed_();
}

}  // namespace shorewatch
