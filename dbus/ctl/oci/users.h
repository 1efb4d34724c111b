// Who a process in a container is.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace shorewatch::ctl {

struct User {
    std::uint32_t uid = 0;
    std::uint32_t gid = 0;
    std::vector<std::uint32_t> groups;  // besides gid
};

// The user that "USER[:GROUP]" means, names or numbers, by the files etc/passwd and etc/group in the folder
// root; those are read as the container sees them, and no link in them leads out of it. Without root, or
// without such files, numbers alone are known, and the group of a user is 0. A group that is given is the
// only one. "" is root. Throws CommandError.
[[nodiscard]] User user_of(const std::string& text, const std::optional<std::string>& root);

}  // namespace shorewatch::ctl
