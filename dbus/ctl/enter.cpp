#include "dbus/ctl/enter.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <functional>
#include <optional>
#include <string_view>
#include <system_error>
#include <utility>

#include <fmt/format.h>
#include <grp.h>
#include <sched.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "dbus/ctl/exit_code.h"
#include "engines/support/text.h"

// glibc has no name for it yet in all of our versions.
#ifndef CLONE_NEWTIME
#define CLONE_NEWTIME 0x00000080
#endif

namespace shorewatch::ctl {

namespace {

constexpr std::array<std::pair<std::string_view, int>, 8> flags{{{"cgroup", CLONE_NEWCGROUP},
                                                                 {"ipc", CLONE_NEWIPC},
                                                                 {"mnt", CLONE_NEWNS},
                                                                 {"net", CLONE_NEWNET},
                                                                 {"pid", CLONE_NEWPID},
                                                                 {"time", CLONE_NEWTIME},
                                                                 {"user", CLONE_NEWUSER},
                                                                 {"uts", CLONE_NEWUTS}}};

std::string error_text(int error) {
    return std::generic_category().message(error);
}

CommandError cannot_enter(std::string_view container, int error) {
    const std::string start = fmt::format("cannot enter the namespaces of '{}': ", printable(container));
    if (error == ESRCH) return {ExitCode::not_found, start + "the container has ended"};
    if (error == EPERM) return {ExitCode::access_denied, start + error_text(error) + "; be root"};
    return {ExitCode::refused, start + error_text(error)};
}

CommandError cannot_run(const std::string& program, int error) {
    return {error == ENOENT ? ExitCode::no_such_program : ExitCode::not_runnable,
            fmt::format("cannot run '{}' there: {}", printable(program), error_text(error))};
}

// All in one step, in the order that the kernel knows to be right, or none.
void enter(const UniqueFd& process, int namespaces, std::string_view container) {
    if (namespaces == 0) return;
    if (::setns(process.get(), namespaces) != 0) throw cannot_enter(container, errno);
    if ((namespaces & CLONE_NEWUSER) == 0) return;
    // Who we are may be nobody there. Where a namespace keeps its groups, they can't be dropped: no harm.
    if (::setgroups(0, nullptr) != 0 && errno != EPERM) throw cannot_enter(container, errno);
    if (::setresgid(0, 0, 0) != 0 || ::setresuid(0, 0, 0) != 0) throw cannot_enter(container, errno);
}

// Returns only if the program can't be run: the error.
int execute(const std::vector<std::string>& command) {
    std::vector<std::string> copies = command;  // execvp wants to be given what it could change
    std::vector<char*> arguments;
    arguments.reserve(copies.size() + 1);
    for (std::string& argument : copies)
        arguments.push_back(argument.data());
    arguments.push_back(nullptr);
    ::execvp(arguments.front(), arguments.data());
    return errno;
}

// What ends or informs a program, and who does not know of the program sends to us.
sigset_t passed_on() {
    sigset_t set;
    sigemptyset(&set);
    for (const int signal : {SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2, SIGCHLD})
        sigaddset(&set, signal);
    return set;
}

// Has the child ended? Its exit code. One that was stopped stops us, too, for the shell that waits for us.
std::optional<int> exit_code_of(pid_t child) {
    int status = 0;
    while (::waitpid(child, &status, WNOHANG | WUNTRACED) == child) {
        if (WIFEXITED(status)) return WEXITSTATUS(status);
        if (WIFSIGNALED(status)) return 128 + WTERMSIG(status);
        (void)::raise(SIGSTOP);
        ::kill(child, SIGCONT);
    }
    return std::nullopt;
}

int attend(pid_t child, const sigset_t& signals) {
    while (true) {
        siginfo_t info{};
        const int signal = ::sigwaitinfo(&signals, &info);
        if (signal == SIGCHLD) {
            if (const auto code = exit_code_of(child)) return *code;
        } else if (signal > 0 && info.si_code != SI_KERNEL) {
            // From the kernel, as of a Ctrl-C, the child has it already: it is in our process group.
            ::kill(child, signal);
        }
    }
}

}  // namespace

const std::vector<std::string>& namespace_types() {
    static const std::vector<std::string> types = [] {
        std::vector<std::string> names;
        names.reserve(flags.size());
        for (const auto& [type, flag] : flags)
            names.emplace_back(type);
        return names;
    }();
    return types;
}

int other_namespaces(const std::map<std::string, UniqueFd>& namespaces) {
    int others = 0;
    for (const auto& [type, fd] : namespaces) {
        const auto flag = std::ranges::find(flags, type, &std::pair<std::string_view, int>::first);
        if (flag == flags.end()) continue;
        struct stat theirs{};
        struct stat ours{};
        if (::fstat(fd.get(), &theirs) != 0 || ::stat(("/proc/self/ns/" + type).c_str(), &ours) != 0)
            throw std::system_error(errno, std::generic_category(), "compare our namespaces");
        if (theirs.st_dev != ours.st_dev || theirs.st_ino != ours.st_ino) others |= flag->second;
    }
    return others;
}

int run_inside(const UniqueFd& process, int namespaces, const std::vector<std::string>& command,
               std::string_view container) {
    enter(process, namespaces, container);
    if ((namespaces & CLONE_NEWNS) != 0 && ::chdir("/") != 0) throw cannot_enter(container, errno);
    // A pid namespace is entered by children only.
    if ((namespaces & CLONE_NEWPID) == 0) throw cannot_run(command.front(), execute(command));
    const sigset_t signals = passed_on();
    sigset_t before;
    ::pthread_sigmask(SIG_BLOCK, &signals, &before);
    const pid_t child = ::fork();
    if (child < 0) throw cannot_run(command.front(), errno);
    if (child > 0) return attend(child, signals);
    ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
    throw cannot_run(command.front(), execute(command));
}

}  // namespace shorewatch::ctl
