#include "dbus/ctl/event_commands.h"

#include <cerrno>
#include <csignal>
#include <system_error>
#include <utility>

#include <fmt/format.h>
#include <spawn.h>
#include <string.h>  // sigabbrev_np
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "dbus/ctl/event_environment.h"
#include "dbus/ctl/exit_code.h"
#include "dbus/ctl/json_out.h"
#include "engines/support/text.h"

namespace shorewatch::ctl {

namespace {

std::system_error system_error(const char* doing) {
    return {errno, std::generic_category(), doing};
}

// A file in memory: the program may read it or not, and nobody waits for that.
UniqueFd file_with(const std::string& text) {
    UniqueFd file(::memfd_create("shorewatchctl-event", MFD_CLOEXEC));
    if (!file) throw system_error("make a file for an event");
    for (std::size_t written = 0; written < text.size();) {
        const ssize_t count = ::write(file.get(), text.data() + written, text.size() - written);
        if (count < 0 && errno != EINTR) throw system_error("write an event to a file");
        if (count > 0) written += static_cast<std::size_t>(count);
    }
    if (::lseek(file.get(), 0, SEEK_SET) != 0) throw system_error("rewind a file");
    return file;
}

// Null-terminated, as execve takes it; good while texts is.
std::vector<char*> pointers_to(std::vector<std::string>& texts) {
    std::vector<char*> pointers;
    pointers.reserve(texts.size() + 1);
    for (std::string& text : texts)
        pointers.push_back(text.data());
    pointers.push_back(nullptr);
    return pointers;
}

std::vector<std::string> our_environment() {
    std::vector<std::string> variables;
    for (char** variable = environ; *variable != nullptr; ++variable)
        variables.emplace_back(*variable);
    return variables;
}

// How a program starts: its standard input, and signals as if nobody had ever touched them.
class SpawnPlan {
  public:
    explicit SpawnPlan(int input) {
        posix_spawn_file_actions_init(&actions_);
        posix_spawnattr_init(&attributes_);
        posix_spawn_file_actions_adddup2(&actions_, input, STDIN_FILENO);
        sigset_t none;
        sigemptyset(&none);
        posix_spawnattr_setsigmask(&attributes_, &none);
        sigset_t ignored;
        sigemptyset(&ignored);
        sigaddset(&ignored, SIGPIPE);
        posix_spawnattr_setsigdefault(&attributes_, &ignored);
        posix_spawnattr_setflags(&attributes_, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
    }
    ~SpawnPlan() {
        posix_spawn_file_actions_destroy(&actions_);
        posix_spawnattr_destroy(&attributes_);
    }
    SpawnPlan(const SpawnPlan&) = delete;
    SpawnPlan& operator=(const SpawnPlan&) = delete;

    // 0, or the error.
    int spawn(pid_t& child, std::vector<std::string> command, std::vector<std::string> environment) const {
        const std::vector<char*> arguments = pointers_to(command);
        const std::vector<char*> variables = pointers_to(environment);
        return ::posix_spawnp(&child, arguments.front(), &actions_, &attributes_, arguments.data(),
                              variables.data());
    }

  private:
    posix_spawn_file_actions_t actions_{};
    posix_spawnattr_t attributes_{};
};

std::string described(const WatchEvent& event) {
    std::string text(event_name(event.kind));
    const std::string& of = !event.name.empty() ? event.name : !event.id.empty() ? event.id : event.engine;
    if (!of.empty()) text.append(" ").append(printable(of));
    return text;
}

}  // namespace

EventCommands::EventCommands(EventLoop& loop, std::vector<std::string> command, OnFailure on_failure)
    : loop_(loop), command_(std::move(command)), on_failure_(std::move(on_failure)) {}

void EventCommands::add(WatchEvent event) {
    if (done_) return;
    if (waiting_.size() >= most_waiting) {
        throw CommandError(
            ExitCode::refused,
            fmt::format("cannot go on: {} events wait for '{}' to end, which is slower than they "
                        "come; ask for fewer, with --event, --engine, --project or --name",
                        most_waiting, printable(command_.front())));
    }
    waiting_.push_back(std::move(event));
    if (running_for_.empty()) run_next();
}

void EventCommands::end(std::function<void()> done) {
    const bool again = static_cast<bool>(done_);
    waiting_.clear();
    done_ = std::move(done);
    if (again || running_for_.empty()) done_();
}

void EventCommands::run_next() {
    while (running_for_.empty() && !waiting_.empty()) {
        const WatchEvent event = std::move(waiting_.front());
        waiting_.pop_front();
        run(event);
    }
}

void EventCommands::run(const WatchEvent& event) {
    running_for_ = described(event);
    const UniqueFd input = file_with(to_json(event) + "\n");
    const int error =
        SpawnPlan(input.get()).spawn(child_, command_, event_environment(event, our_environment()));
    if (error != 0) {
        fail(fmt::format("cannot run '{}': {}", printable(command_.front()),
                         std::generic_category().message(error)));
        running_for_.clear();
        return;
    }
    process_ = UniqueFd(static_cast<int>(::syscall(SYS_pidfd_open, child_, 0)));
    if (!process_) throw system_error("watch a program");
    ended_ = loop_.on_io(process_.get(), EPOLLIN, [this](std::uint32_t) { finish(); });
}

void EventCommands::finish() {
    int status = 0;
    if (::waitpid(child_, &status, WNOHANG) != child_) return;
    ended_.reset();
    process_.reset();
    if (WIFSIGNALED(status)) {
        const char* const name = sigabbrev_np(WTERMSIG(status));
        fail(fmt::format("'{}' was ended by SIG{}", printable(command_.front()),
                         name == nullptr ? "?" : name));
    } else if (WEXITSTATUS(status) != 0) {
        fail(fmt::format("'{}' ended with {}", printable(command_.front()), WEXITSTATUS(status)));
    }
    running_for_.clear();
    if (done_) return done_();
    run_next();
}

void EventCommands::fail(const std::string& how) const {
    on_failure_(fmt::format("for {}: {}", running_for_, how));
}

}  // namespace shorewatch::ctl
