#include "daemon/inotify.h"

#include <array>
#include <cerrno>
#include <cstring>

#include <unistd.h>

namespace shorewatch {

Inotify::Inotify(const std::string& purpose) : fd_(inotify_init1(IN_CLOEXEC | IN_NONBLOCK)) {
    if (!fd_) throw failure(errno, purpose);
}

std::system_error Inotify::failure(int error, const std::string& purpose) {
    const char* hint = "";
    if (error == EMFILE) hint = " (is fs.inotify.max_user_instances too low, or LimitNOFILE= of the unit?)";
    if (error == ENOSPC) hint = " (is fs.inotify.max_user_watches too low?)";
    return {error, std::generic_category(), purpose + hint};
}

int Inotify::add(const std::string& folder, std::uint32_t mask) {
    return inotify_add_watch(fd_.get(), folder.c_str(), mask);
}

void Inotify::remove(int watch) {
    inotify_rm_watch(fd_.get(), watch);
}

void Inotify::read(const Take& take, int most) {
    alignas(inotify_event) std::array<char, 4096> buffer{};
    for (int round = 0; round < most; ++round) {
        const ssize_t size = ::read(fd_.get(), buffer.data(), buffer.size());
        if (size <= 0) return;
        for (ssize_t at = 0; at < size;) {
            inotify_event event{};
            std::memcpy(&event, buffer.data() + at, sizeof event);
            const char* const name = buffer.data() + at + sizeof event;
            at += static_cast<ssize_t>(sizeof event + event.len);
            // Padded with NULs.
            take(event, event.len > 0 ? std::string_view(name) : std::string_view());
        }
    }
}

}  // namespace shorewatch
