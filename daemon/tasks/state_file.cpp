#include "daemon/tasks/state_file.h"

#include <cerrno>
#include <cstdio>
#include <exception>
#include <system_error>
#include <utility>

#include "engines/support/text.h"
#include "engines/support/timestamp.h"
#include "engines/support/whole_file.h"

namespace shorewatch {

namespace fs = std::filesystem;

fs::path keep_aside(const fs::path& file) {
    fs::path aside = file;
    aside += ".damaged-" + to_rfc3339(real_time_now());
    if (::rename(file.c_str(), aside.c_str()) != 0) {
        throw std::system_error(errno, std::generic_category(),
                                printable(file.native()) + " can't be renamed");
    }
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
