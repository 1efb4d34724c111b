#include "daemon/processes/look_up.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <sstream>
#include <string_view>
#include <utility>

#include <fcntl.h>
#include <linux/nsfs.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon/processes/pidfd.h"

namespace shorewatch {

namespace {

using Entries = std::vector<ProcessIndex::Entry>;

std::uint64_t inode_of(const UniqueFd& fd) {
    struct stat status{};
    return fd && ::fstat(fd.get(), &status) == 0 ? status.st_ino : 0;
}

// The inode of the namespace that the link "pid:[4026531836]" is to; 0: it can't be read.
std::uint64_t linked_namespace(const std::string& link) {
    constexpr std::string_view prefix = "pid:[";
    std::array<char, 64> buffer{};
    const ssize_t size = ::readlink(link.c_str(), buffer.data(), buffer.size());
    if (size < 0) return 0;
    const std::string_view text(buffer.data(), static_cast<std::size_t>(size));
    std::uint64_t inode = 0;
    if (text.starts_with(prefix))
        std::from_chars(text.data() + prefix.size(), text.data() + text.size(), inode);
    return inode;
}

// By its own namespace, or else the nearest around it.
Entries by_pid_namespace(const ProcessIndex& index, std::uint32_t pid) {
    static const std::uint64_t ours = linked_namespace("/proc/self/ns/pid");
    const std::string link = "/proc/" + std::to_string(pid) + "/ns/pid";
    // Mostly that tells, and nothing has to be opened.
    const std::uint64_t own = linked_namespace(link);
    if (own == 0 || ours == 0 || own == ours) return {};
    if (Entries found = index.by_pid_namespace(own); !found.empty()) return found;
    UniqueFd around(::open(link.c_str(), O_RDONLY | O_CLOEXEC));
    while (around) {
        around.reset(::ioctl(around.get(), NS_GET_PARENT));
        const std::uint64_t inode = inode_of(around);
        if (inode == ours) break;
        if (Entries found = index.by_pid_namespace(inode); !found.empty()) return found;
    }
    return {};
}

Entries look_up(const Registry& registry, std::uint32_t pid) {
    const ProcessIndex& index = registry.processes();
    Entries by_cgroup = index.by_cgroups(cgroups_of(pid));
    Entries by_namespace = by_pid_namespace(index, pid);
    if (by_namespace.empty() || by_namespace == by_cgroup) return by_cgroup;
    if (by_cgroup.empty()) return by_namespace;
    if (std::ranges::find(by_cgroup, by_namespace.front()) != by_cgroup.end()) return by_namespace;
    // Two say differently: the one by namespace is the inner one if it has no cgroup of its own in the
    // other's.
    const ProcessIndex::Entry& inner = by_namespace.front();
    const PublishedEngine* engine = registry.engine(inner.engine);
    const InitProcessPtr process = engine != nullptr ? engine->process(inner.id) : nullptr;
    const bool within = process && index.by_cgroups(cgroups_of(process->pid())) == by_cgroup;
    return within && !process->has_ended() ? by_namespace : by_cgroup;
}

// Of those that it is the initial process of. They hold it: while it has not ended, the number is its own,
// and nothing has to be read.
Entries by_initial_process(const Registry& registry, std::uint32_t pid) {
    Entries entries = registry.processes().by_pid(pid);
    std::erase_if(entries, [&registry](const ProcessIndex::Entry& entry) {
        const PublishedEngine* engine = registry.engine(entry.engine);
        const InitProcessPtr process = engine != nullptr ? engine->process(entry.id) : nullptr;
        return !process || process->has_ended();
    });
    return entries;
}

[[noreturn]] void no_such_process(std::uint32_t pid) {
    throw NoSuchProcess("There is no process " + std::to_string(pid) + ", or it has ended");
}

// The process that a thread is one of; 0: there is no such thread.
std::uint32_t process_of_thread(std::uint32_t thread) {
    std::istringstream lines(proc_text(thread, "status"));
    std::string line;
    while (std::getline(lines, line)) {
        std::istringstream words(line);
        std::string key;
        std::uint32_t process = 0;
        if (words >> key >> process && key == "Tgid:") return process;
    }
    return 0;
}

// pidfd is of process pid.
std::vector<Registry::Found> containers_of(const Registry& registry, std::uint32_t pid,
                                           const UniqueFd& pidfd) {
    const Entries entries = look_up(registry, pid);
    // While it lives, nobody else has its number: what was read was its own.
    if (has_ended(pidfd)) no_such_process(pid);
    return registry.published(entries);
}

}  // namespace

std::vector<Registry::Found> containers_of(const Registry& registry, std::uint32_t pid) {
    if (const Entries entries = by_initial_process(registry, pid); !entries.empty())
        return registry.published(entries);
    UniqueFd pidfd = open_pidfd(pid);
    if (!pidfd && (errno == EINVAL || errno == ENOENT)) {
        const std::uint32_t process = process_of_thread(pid);
        if (process != 0 && process != pid) return containers_of(registry, process);
    }
    if (!pidfd && (errno == EMFILE || errno == ENFILE))
        throw std::runtime_error("No descriptor is left to hold process " + std::to_string(pid) + " by");
    if (!pidfd) no_such_process(pid);
    return containers_of(registry, pid, pidfd);
}

std::vector<Registry::Found> containers_of(const Registry& registry, const UniqueFd& pidfd) {
    const std::optional<std::uint32_t> pid = pid_of(pidfd);
    if (!pid) throw std::invalid_argument("The descriptor is no pidfd");
    if (*pid == 0) throw NoSuchProcess("The process has ended, or is outside of our pid namespace");
    return containers_of(registry, *pid, pidfd);
}

}  // namespace shorewatch
