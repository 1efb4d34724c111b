#include "daemon/runtime/process_pipes.h"

#include <cerrno>
#include <system_error>
#include <utility>

#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/stat.h>

namespace shorewatch {

namespace {

namespace fs = std::filesystem;

[[noreturn]] void fail(const char* what, const fs::path& path) {
    throw std::system_error(errno, std::generic_category(), std::string(what) + " " + path.string());
}

void make_fifo(const fs::path& path) {
    if (::unlink(path.c_str()) != 0 && errno != ENOENT) fail("cannot remove", path);
    if (::mkfifo(path.c_str(), 0600) != 0) fail("cannot make the pipe", path);
}

// Without waiting for the other end. mode: O_RDONLY or O_WRONLY.
UniqueFd open_end(const fs::path& path, int mode) {
    UniqueFd fd(::open(path.c_str(), mode | O_NONBLOCK | O_CLOEXEC | O_NOFOLLOW));
    if (!fd) fail("cannot open the pipe", path);
    return fd;
}

// Callers expect ends that wait.
UniqueFd open_for_caller(const fs::path& path, int mode) {
    UniqueFd fd = open_end(path, mode);
    const int flags = ::fcntl(fd.get(), F_GETFL);
    if (flags < 0 || ::fcntl(fd.get(), F_SETFL, flags & ~O_NONBLOCK) != 0)
        fail("cannot set up the pipe", path);
    return fd;
}

bool is_pipe(const fs::path& path) {
    struct stat status{};
    return ::lstat(path.c_str(), &status) == 0 && S_ISFIFO(status.st_mode);
}

fs::path name_of(const fs::path& folder, const std::string& process, const char* stream) {
    return folder / (process + "-" + stream);
}

}  // namespace

ProcessPipes::ProcessPipes(EventLoop& loop, fs::path folder, const std::string& process, const Wanted& wanted,
                           std::function<void()> drained)
    : ProcessPipes(loop, std::move(drained)) {
    const auto make = [&](bool is_wanted, const char* stream) {
        fs::path path = is_wanted ? name_of(folder, process, stream) : fs::path();
        if (is_wanted) make_fifo(path);
        return path;
    };
    const fs::path in = make(wanted.in, "stdin");
    const fs::path out = make(wanted.out, "stdout");
    open(in, out, make(wanted.error, "stderr"));
    ends_ = open_ends();
}

std::unique_ptr<ProcessPipes> ProcessPipes::find(EventLoop& loop, fs::path folder, const std::string& process,
                                                 std::function<void()> drained) {
    std::unique_ptr<ProcessPipes> pipes(new ProcessPipes(loop, std::move(drained)));
    const auto existing = [&](const char* stream) {
        fs::path path = name_of(folder, process, stream);
        return is_pipe(path) ? path : fs::path();
    };
    pipes->open(existing("stdin"), existing("stdout"), existing("stderr"));
    return pipes;
}

void ProcessPipes::open(const fs::path& in, const fs::path& out, const fs::path& error) {
    in_.path = in;
    if (!in.empty()) in_.reader = open_end(in, O_RDONLY);
    out_ = out;
    error_ = error;
    if (!out.empty()) watch(out);
    if (!error.empty()) watch(error);
}

void ProcessPipes::watch(const fs::path& path) {
    auto output = std::make_unique<Output>(Output{path, open_end(path, O_RDONLY), {}});
    const int fd = output->reader.get();
    // Nothing but the hang-up, which a pipe has once there was a writer and there is none any more.
    output->source = loop_.on_io(fd, 0, [this, fd](std::uint32_t) { take_end(fd); });
    outputs_.push_back(std::move(output));
}

void ProcessPipes::take_end(int fd) {
    std::erase_if(outputs_, [fd](const auto& output) { return output->reader.get() == fd; });
    if (!outputs_.empty()) return;
    if (const auto call = std::exchange(drained_, nullptr)) call();
}

ProcessStreams ProcessPipes::streams(bool terminal) const {
    return {in_.path.string(), out_.string(), error_.string(), terminal};
}

ClientEnds ProcessPipes::open_ends() const {
    ClientEnds ends;
    if (!in_.path.empty()) ends.in = open_for_caller(in_.path, O_WRONLY);
    if (!out_.empty()) ends.out = open_for_caller(out_, O_RDONLY);
    if (!error_.empty()) ends.error = open_for_caller(error_, O_RDONLY);
    return ends;
}

void ProcessPipes::remove_names() noexcept {
    for (const fs::path* path : {&in_.path, &out_, &error_}) {
        if (!path->empty()) ::unlink(path->c_str());
    }
}

void remove_pipes(const fs::path& folder) noexcept {
    std::error_code error;
    for (const fs::directory_entry& entry : fs::directory_iterator(folder, error)) {
        if (is_pipe(entry.path())) ::unlink(entry.path().c_str());
    }
}

}  // namespace shorewatch
