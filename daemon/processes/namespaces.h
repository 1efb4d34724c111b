// The namespaces of a container's initial process, as descriptors.
#pragma once

#include <array>
#include <map>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "daemon/processes/init_process.h"
#include "engines/support/unique_fd.h"

namespace shorewatch {

// As the kernel names them (namespaces(7)).
inline constexpr std::array<std::string_view, 8> namespace_types{"cgroup", "ipc",  "mnt",  "net",
                                                                 "pid",    "time", "user", "uts"};

// The process has ended, so that its namespaces can't be had any more.
class ProcessEnded : public std::runtime_error {
  public:
    using std::runtime_error::runtime_error;
};

// Each of these types, each once; all that this kernel has if there are none. Of the process itself: if it
// ends meanwhile, throws ProcessEnded. Throws std::invalid_argument for a type that there isn't, and
// std::system_error when the kernel does not let us (CAP_SYS_PTRACE) or no descriptor is left.
[[nodiscard]] std::map<std::string, UniqueFd> open_namespaces(const InitProcess& process,
                                                              const std::vector<std::string>& types);

}  // namespace shorewatch
