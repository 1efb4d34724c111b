// Running a program in namespaces of a container, as nsenter(1) does.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "engines/support/unique_fd.h"

namespace shorewatch::ctl {

// The types of namespaces, as /proc/PID/ns and the D-Bus API call them: "cgroup", "ipc", "mnt", "net", "pid",
// "time", "user", "uts".
[[nodiscard]] const std::vector<std::string>& namespace_types();

// Of these namespaces, by type, those that we are not in, as flags of setns(2). Types that are not known are
// left out. Throws std::system_error.
[[nodiscard]] int other_namespaces(const std::map<std::string, UniqueFd>& namespaces);

// Enters those namespaces of a process, given by a pidfd, and runs a program there, with our environment; in
// another user namespace as its root. Ends as the program does: returns its exit code, 128+n if signal n
// ended it, or not at all, when the program takes our place. Meanwhile signals to us go to the program.
// Nothing but this may use the process any more, nor have threads in it. container: for errors. Throws
// CommandError.
int run_inside(const UniqueFd& process, int namespaces, const std::vector<std::string>& command,
               std::string_view container);

}  // namespace shorewatch::ctl
