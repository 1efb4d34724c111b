#include "daemon/processes/namespaces.h"

#include <algorithm>
#include <cerrno>
#include <system_error>

#include <fcntl.h>

#include "engines/support/text.h"

namespace shorewatch {

namespace {

std::vector<std::string> wanted(const std::vector<std::string>& types) {
    if (types.empty()) return {namespace_types.begin(), namespace_types.end()};
    for (const std::string& type : types) {
        if (std::ranges::find(namespace_types, type) != namespace_types.end()) continue;
        throw std::invalid_argument("There is no namespace of type '" + printable(type) +
                                    "'; there are cgroup, ipc, mnt, net, pid, time, user and uts");
    }
    return types;
}

}  // namespace

std::map<std::string, UniqueFd> open_namespaces(const InitProcess& process,
                                                const std::vector<std::string>& types) {
    const std::string folder = "/proc/" + std::to_string(process.pid()) + "/ns/";
    std::map<std::string, UniqueFd> opened;
    for (const std::string& type : wanted(types)) {
        UniqueFd fd(::open((folder + type).c_str(), O_RDONLY | O_CLOEXEC));
        const int error = errno;
        if (process.has_ended()) throw ProcessEnded("Its initial process has ended");
        // A kernel that was built without a type has no file for it.
        if (!fd && error == ENOENT && types.empty()) continue;
        if (!fd) throw std::system_error(error, std::generic_category(), "cannot open its namespace " + type);
        opened.insert_or_assign(type, std::move(fd));
    }
    return opened;
}

}  // namespace shorewatch
