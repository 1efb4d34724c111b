// Paths as they are found by processes that have another root folder than we.
#pragma once

#include <string>

#include "engines/support/unique_fd.h"

namespace shorewatch {

// Opens path, with O_PATH and these flags, as it is found by a process whose root folder that is: all links
// are followed within it, by their texts, whoever made them and whatever is moved meanwhile. No descriptor:
// errno says why. It is what openat2(2) does with RESOLVE_IN_ROOT, which systemd's RestrictSUIDSGID= keeps
// from us.
[[nodiscard]] UniqueFd open_below(UniqueFd root, const std::string& path, int flags);

}  // namespace shorewatch
