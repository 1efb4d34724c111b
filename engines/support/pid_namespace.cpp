#include "engines/support/pid_namespace.h"

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <filesystem>
#include <fstream>
#include <optional>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <linux/nsfs.h>
#include <sys/ioctl.h>
#include <sys/stat.h>

namespace shorewatch {

namespace {

namespace fs = std::filesystem;

// NS_GET_TGID_FROM_PIDNS: the pid in the caller's namespace of the process with this pid, or with a thread of
// this number, in the namespace. Newer than the headers that we build with.
constexpr unsigned long get_process_from_namespace = _IOR(NSIO, 0x7, int);

UniqueFd namespace_of(std::uint32_t pid) {
    const std::string path = "/proc/" + std::to_string(pid) + "/ns/pid";
    return UniqueFd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
}

bool is_same(int one, int other) {
    struct stat first{};
    struct stat second{};
    return fstat(one, &first) == 0 && fstat(other, &second) == 0 && first.st_ino == second.st_ino &&
           first.st_dev == second.st_dev;
}

bool is_our_own(const UniqueFd& its) {
    const UniqueFd ours(::open("/proc/self/ns/pid", O_RDONLY | O_CLOEXEC));
    return ours && is_same(its.get(), ours.get());
}

// The pids of a process: here first, then in each namespace inwards from ours to its own.
std::vector<std::uint32_t> pids_of(const fs::path& folder) {
    constexpr std::string_view key = "NSpid:";
    std::vector<std::uint32_t> pids;
    std::ifstream file(folder / "status");
    std::string line;
    while (std::getline(file, line)) {
        if (!line.starts_with(key)) continue;
        const char* at = line.data() + key.size();
        const char* end = line.data() + line.size();
        while (at != end) {
            std::uint32_t pid = 0;
            const auto [stopped, error] = std::from_chars(at, end, pid);
            if (error == std::errc{}) pids.push_back(pid);
            at = error == std::errc{} ? stopped : at + 1;
        }
        break;
    }
    return pids;
}

// How many namespaces outwards from that of the process the one is that fd is of; none: it is not one of
// them.
std::optional<std::size_t> distance(UniqueFd from, int fd) {
    std::size_t steps = 0;
    for (; from && !is_same(from.get(), fd); ++steps)
        from.reset(ioctl(from.get(), NS_GET_PARENT));
    return from ? std::optional(steps) : std::nullopt;
}

}  // namespace

PidNamespace PidNamespace::of(std::uint32_t pid) {
    UniqueFd its = namespace_of(pid);
    if (!its || is_our_own(its)) return {};
    return {Kind::another, std::move(its)};
}

PidNamespace PidNamespace::of(const Process& process) {
    UniqueFd its = namespace_of(process.pid);
    // It was the process's own if that is still there now.
    if (!its || process_with(process.pid) != process) return {Kind::nowhere, {}};
    if (is_our_own(its)) return {};
    return {Kind::another, std::move(its)};
}

std::uint32_t PidNamespace::to_ours(std::uint32_t pid) const {
    if (is_ours() || pid == 0) return pid;
    if (kind_ == Kind::nowhere) return 0;
    const int found = ioctl(namespace_.get(), get_process_from_namespace, static_cast<unsigned long>(pid));
    if (found > 0) return static_cast<std::uint32_t>(found);
    return errno == ENOTTY ? found_in_proc(*this, pid) : 0;
}

std::uint32_t found_in_proc(const PidNamespace& there, std::uint32_t pid) {
    std::error_code error;
    for (fs::directory_iterator entry("/proc", error), end; !error && entry != end; entry.increment(error)) {
        const std::string name = entry->path().filename();
        if (name.find_first_not_of("0123456789") != std::string::npos) continue;
        const std::vector<std::uint32_t> pids = pids_of(entry->path());
        if (std::find(pids.begin(), pids.end(), pid) == pids.end()) continue;
        const auto outwards = distance(namespace_of(pids.front()), there.namespace_.get());
        if (outwards && *outwards < pids.size() && pids[pids.size() - 1 - *outwards] == pid)
            return pids.front();
    }
    return 0;
}

}  // namespace shorewatch
