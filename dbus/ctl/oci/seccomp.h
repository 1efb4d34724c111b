// Which system calls the processes of a container may make.
#pragma once

#include <string_view>

#include "dbus/ctl/oci/capabilities.h"
#include "dbus/ctl/oci/json_text.h"

namespace shorewatch::ctl {

// Writes the value of linux.seccomp: a list of what is allowed, all else fails with EPERM. What only
// privileged processes are meant to call is allowed with the capability for it. machine: as uname(2) says it,
// "x86_64" or "aarch64"; on others it is the native calls alone that are allowed.
void write_seccomp(JsonText& json, const Capabilities& capabilities, std::string_view machine);

}  // namespace shorewatch::ctl
