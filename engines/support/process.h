// Processes of this machine, each told from a later one with the same number by when it began.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "engines/support/timestamp.h"
#include "engines/support/unique_fd.h"

namespace shorewatch {

struct Process {
    std::uint32_t pid = 0;    // in our pid namespace
    std::uint64_t began = 0;  // in clock ticks since the machine's boot; never 0 (proc(5), stat, field 22)

    bool operator==(const Process&) const = default;
};

// What /proc/PID/stat says, of which we use this (proc(5)).
struct ProcessStat {
    char state = 0;                  // 'Z': dead and not yet waited for
    std::uint64_t began = 0;         // as Process has it
    std::optional<int> wait_status;  // field 52; none: the kernel does not tell it
};
// None: the text is none of that.
[[nodiscard]] std::optional<ProcessStat> parse_stat(std::string_view text);

// None: there is no such process, or it is dead and only not yet waited for.
[[nodiscard]] std::optional<Process> process_with(std::uint32_t pid);

// The text of /proc/PID/NAME; empty when there is no such process, and when it ends while it is read.
[[nodiscard]] std::string proc_text(std::uint32_t pid, const char* name);

// When it began, by our clock as it is set now; as exact as the kernel tells it, to a hundredth of a second.
[[nodiscard]] RealTime began_at(const Process& process);

// How a process ended that is dead and not yet waited for, as wait(2) has it. None: it isn't. Where the
// process has rights that we don't (CAP_SYS_PTRACE), that is 0, however it ended (proc(5), stat, field 52).
[[nodiscard]] std::optional<int> wait_status_of(const Process& process);

// Opens path, with O_PATH and these flags, as the process itself would find it: all links are followed within
// its root folder, whoever made them. No descriptor: errno says why, ESRCH being that the process is no more.
// Needs CAP_SYS_PTRACE where the process has rights that we don't (ptrace(2), PTRACE_MODE_READ_FSCREDS).
[[nodiscard]] UniqueFd open_in_root(const Process& process, const std::string& path, int flags);

// Under this name the file can be opened, connected to or watched as long as fd is open.
[[nodiscard]] std::string name_of(const UniqueFd& fd);

}  // namespace shorewatch
