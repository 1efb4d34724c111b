// What the kernel says of the process that an engine has named, and whether that can be the container's.
#include <algorithm>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <memory>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

#include <fcntl.h>
#include <linux/nsfs.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <systemd/sd-login.h>
#include <unistd.h>

#include "daemon/processes/init_process.h"
#include "daemon/processes/pidfd.h"

namespace shorewatch {

namespace {

// How much later than the engine's stamp of a run its process may have begun: engines start the process and
// take the time then, the kernel counts in hundredths of a second.
constexpr auto slack = std::chrono::seconds(1);
// How long before that stamp it may have begun, if no cgroup says whose it is: engines set containers up
// before they start them. An engine behind a forwarded socket names processes of another machine, of which
// this one may have some that are older than that.
constexpr auto longest_creation = std::chrono::minutes(5);

std::string folder_of(std::uint32_t pid) {
    return "/proc/" + std::to_string(pid);
}

struct Status {
    std::uint32_t parent = 0;     // 0: it is outside of our pid namespace
    std::size_t namespaces = 0;   // pid namespaces from ours to its own
    std::uint32_t innermost = 0;  // its pid in its own
};

// The numbers in the line of /proc/PID/status that begins with key (proc(5)).
std::vector<std::uint32_t> numbers_of(std::string_view text, std::string_view key) {
    std::vector<std::uint32_t> numbers;
    const std::size_t line = text.find(key);
    if (line == std::string_view::npos) return numbers;
    text = text.substr(line + key.size());
    text = text.substr(0, text.find('\n'));
    while (!text.empty() && text.front() == '\t') {
        std::uint32_t number = 0;
        const auto [stopped, error] = std::from_chars(text.data() + 1, text.data() + text.size(), number);
        if (error != std::errc{}) break;
        numbers.push_back(number);
        text.remove_prefix(static_cast<std::size_t>(stopped - text.data()));
    }
    return numbers;
}

Status status_of(std::uint32_t pid) {
    const std::string text = proc_text(pid, "status");
    Status status;
    // The first line is the process's own name, in which line breaks are escaped.
    if (const auto parent = numbers_of(text, "\nPPid:"); !parent.empty()) status.parent = parent.front();
    if (const auto pids = numbers_of(text, "\nNSpid:"); !pids.empty()) {
        status.namespaces = pids.size();
        status.innermost = pids.back();
    }
    return status;
}

std::string unit_of(std::uint32_t pid, const std::vector<Cgroup>& cgroups) {
    // The cgroup of a unit has its name, with a dot before its type: elsewhere systemd need not be asked.
    const auto may_be_unit = [](const Cgroup& cgroup) { return cgroup.path.find('.') != std::string::npos; };
    if (std::ranges::none_of(cgroups, may_be_unit)) return {};
    using Get = int (*)(pid_t, char**);
    const auto ask = [pid](Get get) {
        char* unit = nullptr;
        if (get(static_cast<pid_t>(pid), &unit) < 0) return std::string();
        const std::unique_ptr<char, decltype(&std::free)> owner(unit, &std::free);
        return std::string(unit);
    };
    std::string unit = ask(&sd_pid_get_unit);
    // What a user's manager runs is in the cgroup of that manager's own unit.
    if (unit.starts_with("user@")) {
        if (std::string of_user = ask(&sd_pid_get_user_unit); !of_user.empty()) return of_user;
    }
    return unit;
}

// Is the process in a user namespace that is the user's, or the user's itself? None: we may not look.
std::optional<bool> could_be_of(std::uint32_t uid, std::uint32_t pid) {
    UniqueFd its(::open((folder_of(pid) + "/ns/user").c_str(), O_RDONLY | O_CLOEXEC));
    if (!its) return std::nullopt;
    struct stat ours{};
    if (::stat("/proc/self/ns/user", &ours) != 0) return std::nullopt;
    struct stat there{};
    while (its && ::fstat(its.get(), &there) == 0 && there.st_ino != ours.st_ino) {
        uid_t owner = 0;
        if (::ioctl(its.get(), NS_GET_OWNER_UID, &owner) == 0 && owner == uid) return true;
        its.reset(::ioctl(its.get(), NS_GET_PARENT));
    }
    struct stat process{};
    return its && ::stat(folder_of(pid).c_str(), &process) == 0 && process.st_uid == uid;
}

bool is_believed(const Teller& teller) {
    return teller.in_container || teller.uid == 0U || teller.uid == ::geteuid();
}

Held not_held(NotHeld why, std::string reason) {
    return {nullptr, why, std::move(reason)};
}

// Are its mounts others than ours? As those of all containers are, and of some services.
bool has_own_mounts(std::uint32_t pid) {
    struct stat ours{};
    struct stat its{};
    return ::stat("/proc/self/ns/mnt", &ours) == 0 &&
           ::stat((folder_of(pid) + "/ns/mnt").c_str(), &its) == 0 && its.st_ino != ours.st_ino;
}

// Does a process that is in no cgroup of the container's name look as if it were the container's all the
// same?
std::optional<std::string> why_not(const Container& container, const InitProcess::Facts& facts) {
    const RealTime began = began_at(facts.process);
    if (!facts.cgroup && facts.pid_namespace == 0 && !has_own_mounts(facts.process.pid))
        return "has neither a cgroup nor namespaces of its own";
    if (!container.started || began > *container.started + slack) return "began after the container did";
    if (began < *container.started - longest_creation) return "began long before the container did";
    return std::nullopt;
}

// Nothing when the process can be the container's.
std::optional<Held> refuse(const Container& container, const Teller& teller, const InitProcess::Facts& facts,
                           bool named) {
    const Process& process = facts.process;
    const std::string it = "process " + std::to_string(process.pid);
    if (const auto why = named ? std::nullopt : why_not(container, facts))
        return not_held(NotHeld::another, it + " " + *why + ", and is in no cgroup of its name");
    if (is_believed(teller)) return std::nullopt;
    if (!teller.uid) return not_held(NotHeld::unknown, "nobody knows whose the engine is that names " + it);
    const auto could_be = could_be_of(*teller.uid, process.pid);
    const std::string whose = "user " + std::to_string(*teller.uid) + ", whose engine names it";
    if (!could_be) return not_held(NotHeld::unknown, "we may not see whether " + it + " is of " + whose);
    if (!*could_be) return not_held(NotHeld::another, it + " is none of " + whose);
    return std::nullopt;
}

InitProcess::Facts facts_of(const Process& process, const std::vector<Cgroup>& cgroups,
                            std::optional<Cgroup> named) {
    const Status status = status_of(process.pid);
    InitProcess::Facts facts;
    facts.process = process;
    facts.cgroup = named ? std::move(named) : apart_from(cgroups, cgroups_of(status.parent));
    struct stat its{};
    const bool first = status.namespaces > 1 && status.innermost == 1;
    facts.readable = ::stat((folder_of(process.pid) + "/ns/pid").c_str(), &its) == 0;
    if (first && facts.readable) facts.pid_namespace = its.st_ino;
    facts.unit = unit_of(process.pid, cgroups);
    return facts;
}

// Of a process that /proc does not show: or we may not look, or no descriptor is left to look with.
bool is_gone(std::uint32_t pid, const UniqueFd& pidfd) {
    if (pidfd) return has_ended(pidfd);
    return ::kill(static_cast<pid_t>(pid), 0) != 0 && errno == ESRCH;
}

}  // namespace

Held KernelProcesses::open(const Container& container, const Teller& teller) {
    const std::uint32_t pid = container.pid;
    DescriptorBudget::Share share = budget_.take();
    UniqueFd pidfd;
    if (share) pidfd = open_pidfd(pid);
    if (share && !pidfd) {
        const int error = errno;
        if (error == ESRCH) return not_held(NotHeld::gone, {});
        if (error == EINVAL || error == ENOENT)
            return not_held(NotHeld::another, std::to_string(pid) + " is no process, but a thread of one");
        if (error != EMFILE && error != ENFILE)
            return not_held(NotHeld::unknown, std::generic_category().message(error));
        share = {};
    }
    const auto process = process_with(pid);
    const auto not_shown = [&] {
        return not_held(is_gone(pid, pidfd) ? NotHeld::gone : NotHeld::unknown,
                        "/proc doesn't show process " + std::to_string(pid));
    };
    if (!process) return not_shown();
    const std::vector<Cgroup> cgroups = cgroups_of(pid);
    std::optional<Cgroup> named = named_after(cgroups, container.id);
    const bool is_named = named.has_value();
    InitProcess::Facts facts = facts_of(*process, cgroups, std::move(named));
    const std::optional<Held> refused = refuse(container, teller, facts, is_named);
    // All that was read is of one process if that is still there.
    if (pidfd) {
        if (has_ended(pidfd)) return not_held(NotHeld::gone, {});
    } else if (const auto still = process_with(pid); still != process) {
        return still ? not_held(NotHeld::gone, {}) : not_shown();
    }
    if (refused) return *refused;
    return {
        std::make_shared<const InitProcess>(std::move(facts), std::move(pidfd), std::move(share)), {}, {}};
}

}  // namespace shorewatch
