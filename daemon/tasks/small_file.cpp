#include "daemon/tasks/small_file.h"

#include <algorithm>
#include <cerrno>
#include <stdexcept>
#include <system_error>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "engines/support/text.h"
#include "engines/support/unique_fd.h"

namespace shorewatch {

namespace {

namespace fs = std::filesystem;

[[noreturn]] void fail(const fs::path& path, const std::string& why) {
    throw std::runtime_error(printable(path.native()) + ": " + why);
}

[[noreturn]] void fail(const fs::path& path, int error) {
    fail(path, "can't be read: " + std::generic_category().message(error));
}

}  // namespace

std::optional<std::string> read_small_file(const fs::path& file, std::size_t most) {
    // O_NONBLOCK: opening a fifo must not wait for its writer.
    const UniqueFd fd(::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
    if (!fd) {
        if (errno == ENOENT || errno == ENOTDIR) return std::nullopt;
        fail(file, errno);
    }
    struct stat facts{};
    if (::fstat(fd.get(), &facts) != 0) fail(file, errno);
    if (!S_ISREG(facts.st_mode)) fail(file, "is no regular file");
    std::string text(std::min(most, static_cast<std::size_t>(facts.st_size)) + 1, '\0');
    std::size_t size = 0;
    while (size < text.size()) {
        const ssize_t got = ::read(fd.get(), text.data() + size, text.size() - size);
        if (got == 0) break;
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) fail(file, errno);
        size += static_cast<std::size_t>(got);
    }
    if (size > most) fail(file, "is larger than " + std::to_string(most) + " bytes");
    if (size == text.size()) fail(file, "is being written to");
    text.resize(size);
    return text;
}

std::vector<std::string> json_files_in(const fs::path& folder) {
    constexpr std::size_t most_files = 1000;
    std::vector<std::string> names;
    std::error_code error;
    for (fs::directory_iterator entry(folder, error), end; !error && entry != end; entry.increment(error)) {
        const std::string name = entry->path().filename().native();
        if (!name.ends_with(".json") || name.starts_with('.')) continue;
        if (names.size() == most_files) fail(folder, "holds more than 1000 *.json");
        names.push_back(name);
    }
    if (error == std::errc::no_such_file_or_directory) return {};
    if (error) fail(folder, error.value());
    std::ranges::sort(names);
    return names;
}

}  // namespace shorewatch
