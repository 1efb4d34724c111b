#include "daemon/tasks/state_file.h"

#include <cerrno>
#include <exception>
#include <stdexcept>
#include <system_error>
#include <utility>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "engines/support/text.h"
#include "engines/support/timestamp.h"
#include "engines/support/unique_fd.h"

namespace shorewatch {

namespace {

namespace fs = std::filesystem;

[[noreturn]] void fail(const fs::path& path, const char* what, int error) {
    throw std::runtime_error(printable(path.native()) + " " + what + ": " +
                             std::generic_category().message(error));
}

void write_all(const fs::path& file, const std::string& text) {
    const UniqueFd fd(::open(file.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600));
    if (!fd) fail(file, "can't be made", errno);
    std::size_t done = 0;
    while (done < text.size()) {
        const ssize_t written = ::write(fd.get(), text.data() + done, text.size() - done);
        if (written < 0 && errno == EINTR) continue;
        if (written < 0) fail(file, "can't be written", errno);
        done += static_cast<std::size_t>(written);
    }
    if (::fsync(fd.get()) != 0) fail(file, "can't be written", errno);
}

void sync_folder(const fs::path& folder) {
    const UniqueFd fd(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!fd || ::fsync(fd.get()) != 0) fail(folder, "can't be written", errno);
}

}  // namespace

void write_whole_file(const fs::path& file, const std::string& text) {
    std::error_code error;
    fs::create_directories(file.parent_path(), error);
    if (error) fail(file.parent_path(), "can't be made", error.value());
    fs::path fresh = file;
    fresh += ".new";
    try {
        write_all(fresh, text);
        if (::rename(fresh.c_str(), file.c_str()) != 0) fail(file, "can't be replaced", errno);
    } catch (const std::runtime_error&) {
        // On a full disk its room is wanted.
        ::unlink(fresh.c_str());
        throw;
    }
    sync_folder(file.parent_path());
}

fs::path keep_aside(const fs::path& file) {
    fs::path aside = file;
    aside += ".damaged-" + to_rfc3339(real_time_now());
    if (::rename(file.c_str(), aside.c_str()) != 0) fail(file, "can't be renamed", errno);
    sync_folder(file.parent_path());
    return aside;
}

StateFile::~StateFile() {
    {
        const std::lock_guard lock(mutex_);
        ending_ = true;
    }
    wanted_.notify_one();
    if (thread_.joinable()) thread_.join();
}

void StateFile::write(std::string text, Written written) {
    {
        const std::lock_guard lock(mutex_);
        job_ = Job{std::move(text), std::move(written)};
    }
    wanted_.notify_one();
    if (!thread_.joinable()) thread_ = std::thread([this] { run(); });
}

void StateFile::run() noexcept {
    while (true) {
        std::optional<Job> job;
        {
            std::unique_lock lock(mutex_);
            wanted_.wait(lock, [this] { return job_ || ending_; });
            if (!job_) return;
            job = std::exchange(job_, std::nullopt);
        }
        std::optional<std::string> error;
        try {
            write_whole_file(file_, job->text);
        } catch (const std::exception& failure) {
            error = failure.what();
        }
        job->written(std::move(error));
    }
}

}  // namespace shorewatch
