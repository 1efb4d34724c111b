// Where a process is: in which container, and how it came from that container's first process.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "dbus/ctl/properties.h"

namespace shorewatch::ctl {

// A process, as /proc has it.
struct ProcessLink {
    std::uint32_t pid = 0;
    std::uint32_t parent = 0;  // 0: none that can be seen from here
    std::string command;       // its name, which it has given itself: anything, up to 15 bytes
};

struct ProcessPlace {
    std::uint32_t pid = 0;
    std::optional<ContainerInfo> container;  // absent: it is in none
    std::vector<ProcessLink> chain;          // from the outermost down to the process; only if it was wanted

    // Does the chain begin with a process that was put into the container from outside, as by an exec, and is
    // not its initial one?
    [[nodiscard]] bool entered() const;
};

// What /proc/PID/stat says; nothing when it is not as proc(5) has it.
[[nodiscard]] std::optional<ProcessLink> parse_stat(std::string_view text);

// Reads that file; nothing when the process is no more.
[[nodiscard]] std::optional<ProcessLink> read_process(std::uint32_t pid);

// The process and its parents, the outermost first, as long as inside says that they are in its container,
// too. Empty when the process is no more.
[[nodiscard]] std::vector<ProcessLink> process_chain(
    std::uint32_t pid, const std::function<std::optional<ProcessLink>(std::uint32_t)>& read,
    const std::function<bool(std::uint32_t)>& inside);

}  // namespace shorewatch::ctl
