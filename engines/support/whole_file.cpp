#include "engines/support/whole_file.h"

#include <cerrno>
#include <cstddef>
#include <system_error>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "engines/support/text.h"
#include "engines/support/unique_fd.h"

namespace shorewatch {

namespace {

namespace fs = std::filesystem;

[[noreturn]] void fail(const fs::path& path, const char* what, int error = errno) {
    throw std::system_error(error, std::generic_category(), printable(path.native()) + " " + what);
}

void write_all(const fs::path& file, const std::string& text) {
    const UniqueFd fd(::open(file.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600));
    if (!fd) fail(file, "can't be made");
    std::size_t done = 0;
    while (done < text.size()) {
        const ssize_t written = ::write(fd.get(), text.data() + done, text.size() - done);
        if (written < 0 && errno == EINTR) continue;
        if (written < 0) fail(file, "can't be written");
        done += static_cast<std::size_t>(written);
    }
    if (::fsync(fd.get()) != 0) fail(file, "can't be written");
}

}  // namespace

void sync_folder(const fs::path& folder) {
    const UniqueFd fd(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!fd || ::fsync(fd.get()) != 0) fail(folder, "can't be written");
}

void write_whole_file(const fs::path& file, const std::string& text) {
    std::error_code error;
    fs::create_directories(file.parent_path(), error);
    if (error) fail(file.parent_path(), "can't be made", error.value());
    fs::path fresh = file;
    fresh += ".new";
    try {
        write_all(fresh, text);
        if (::rename(fresh.c_str(), file.c_str()) != 0) fail(file, "can't be replaced");
    } catch (const std::system_error&) {
        // On a full disk its room is wanted.
        ::unlink(fresh.c_str());
        throw;
    }
    sync_folder(file.parent_path());
}

}  // namespace shorewatch
