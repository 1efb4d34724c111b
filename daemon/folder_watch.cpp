#include "daemon/folder_watch.h"

#include <array>
#include <cerrno>
#include <system_error>
#include <utility>

#include <sys/epoll.h>
#include <sys/inotify.h>
#include <unistd.h>

namespace shorewatch {

FolderWatch::FolderWatch(EventLoop& loop, std::filesystem::path folder, std::function<void()> changed)
    : folder_(std::move(folder)),
      changed_(std::move(changed)),
      inotify_(inotify_init1(IN_CLOEXEC | IN_NONBLOCK)),
      appearance_(loop, folder_, [this] {
          watch_inside();
          changed_();
      }) {
    if (!inotify_) throw std::system_error(errno, std::generic_category(), "watch a folder (inotify_init1)");
    source_ = loop.on_io(inotify_.get(), EPOLLIN, [this](std::uint32_t) { on_readable(); });
    watch_inside();
}

void FolderWatch::watch_inside() {
    constexpr std::uint32_t interesting = IN_CREATE | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO | IN_ONLYDIR;
    if (watch_ >= 0) inotify_rm_watch(inotify_.get(), watch_);
    watch_ = inotify_add_watch(inotify_.get(), folder_.c_str(), interesting);
}

void FolderWatch::on_readable() {
    alignas(inotify_event) std::array<char, 4096> buffer{};
    while (read(inotify_.get(), buffer.data(), buffer.size()) > 0) {
    }
    changed_();
}

}  // namespace shorewatch
