// What is read and changed in OCI runtime specifications: no more than what has to agree with how a process
// is run.
#pragma once

#include <string>
#include <string_view>

#include "engines/http/json.h"

namespace shorewatch::containerd {

// Whether the initial process of a specification, or a process, is to have a terminal. Throws json::Malformed
// for what is no specification: no object, or with a process or a terminal that is of another kind.
[[nodiscard]] bool spec_terminal(std::string_view spec);
[[nodiscard]] bool process_terminal(std::string_view process);

// The same JSON but for that. Throw json::Malformed.
[[nodiscard]] std::string spec_with_terminal(std::string_view spec, bool terminal);
[[nodiscard]] std::string process_with_terminal(std::string_view process, bool terminal);
// With the root file system in the folder that containerd mounts snapshots on.
[[nodiscard]] std::string spec_with_own_root(std::string_view spec);

// Throws json::Malformed unless it is an object.
void check_object(std::string_view text);

}  // namespace shorewatch::containerd
