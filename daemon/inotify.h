// An inotify instance: watches on folders, and what has happened to them.
#pragma once

#include <cstdint>
#include <functional>
#include <limits>
#include <string>
#include <string_view>
#include <system_error>

#include <sys/inotify.h>

#include "engines/support/unique_fd.h"

namespace shorewatch {

class Inotify {
  public:
    // name: of what happened in a folder; empty: to the folder itself. Good within the call.
    using Take = std::function<void(const inotify_event& event, std::string_view name)>;

    // purpose: as an error has it, "watch for a socket". Throws std::system_error when there are no more
    // instances to be had.
    explicit Inotify(const std::string& purpose);

    // Readable when something has happened.
    [[nodiscard]] int fd() const noexcept { return fd_.get(); }
    // The number of the watch; -1, and errno, when it can't be watched. mask: as inotify_add_watch(2) has it.
    [[nodiscard]] int add(const std::string& folder, std::uint32_t mask);
    void remove(int watch);
    // What has happened since, in order; take may add watches and remove them. The rest is left when it takes
    // more reads than most: there may be more for ever.
    void read(const Take& take, int most = std::numeric_limits<int>::max());

    // Of either call: what it was for, and which limit may be too low.
    [[nodiscard]] static std::system_error failure(int error, const std::string& purpose);

  private:
    UniqueFd fd_;
};

}  // namespace shorewatch
