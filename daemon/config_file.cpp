#include "daemon/config_file.h"

#include <algorithm>
#include <cerrno>
#include <string_view>
#include <system_error>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon/configuration.h"
#include "engines/support/text.h"
#include "engines/support/unique_fd.h"

namespace shorewatch::config {

namespace {

namespace fs = std::filesystem;

[[noreturn]] void reject(const fs::path& path, std::string_view wrong, std::string_view expected) {
    throw ConfigurationError(printable(path.native()) + ": " + std::string(wrong) + "; expected " +
                             std::string(expected));
}

[[noreturn]] void reject_file(const fs::path& file, std::string_view wrong) {
    reject(file, wrong, "a regular file of at most 1 MiB that the daemon may read");
}

std::string unreadable(int error) {
    return "can't be read: " + std::generic_category().message(error);
}

std::string_view kind_of(mode_t mode) {
    if (S_ISDIR(mode)) return "is a folder";
    if (S_ISFIFO(mode)) return "is a fifo";
    if (S_ISSOCK(mode)) return "is a socket";
    return "is a device";
}

// O_NONBLOCK: opening a fifo must not wait for its writer.
UniqueFd open_file(const fs::path& file) {
    return UniqueFd(::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
}

// Asked before opening, for opening some devices does something; and again after, for the path may have
// changed.
void require_regular(const fs::path& file, const struct stat& facts) {
    if (!S_ISREG(facts.st_mode)) reject_file(file, kind_of(facts.st_mode));
}

std::string read_all(const fs::path& file, int fd) {
    std::string text(largest_file + 1, '\0');
    std::size_t size = 0;
    while (size < text.size()) {
        const ssize_t got = ::read(fd, text.data() + size, text.size() - size);
        if (got == 0) break;
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) reject_file(file, unreadable(errno));
        size += static_cast<std::size_t>(got);
    }
    if (size > largest_file) reject_file(file, "is larger than 1 MiB");
    text.resize(size);
    return text;
}

bool is_drop_in(const fs::path& name) {
    return name.native().ends_with(".toml") && !name.native().starts_with('.');
}

}  // namespace

std::optional<std::string> read_text(const fs::path& file) {
    struct stat facts{};
    if (::stat(file.c_str(), &facts) != 0) {
        const int error = errno;
        const bool dangling = error == ENOENT && ::lstat(file.c_str(), &facts) == 0;
        if (error == ENOENT && !dangling) return std::nullopt;
        reject_file(file, dangling ? "is a symlink to a file that doesn't exist" : unreadable(error));
    }
    require_regular(file, facts);
    const UniqueFd fd = open_file(file);
    if (!fd || ::fstat(fd.get(), &facts) != 0) reject_file(file, unreadable(errno));
    require_regular(file, facts);
    return read_all(file, fd.get());
}

std::vector<fs::path> drop_ins(const fs::path& file) {
    constexpr std::string_view expected = "a folder of at most 1000 *.toml that the daemon may read";
    fs::path folder = file;
    folder += ".d";

    std::error_code error;
    std::vector<fs::path> found;
    for (fs::directory_iterator entry(folder, error), end; !error && entry != end; entry.increment(error)) {
        if (!is_drop_in(entry->path().filename())) continue;
        if (found.size() == most_drop_ins) reject(folder, "holds more than 1000 *.toml", expected);
        found.push_back(entry->path());
    }
    if (error == std::errc::no_such_file_or_directory) return {};
    if (error) reject(folder, unreadable(error.value()), expected);
    std::sort(found.begin(), found.end(),
              [](const fs::path& a, const fs::path& b) { return a.native() < b.native(); });
    return found;
}

}  // namespace shorewatch::config
