// One more process of a container, as like to its initial one as was not asked otherwise.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "dbus/ctl/oci/spec.h"

namespace shorewatch::ctl {

// What is different. All text is valid UTF-8, without NUL.
struct ExecPlan {
    std::vector<std::string> arguments;
    std::vector<std::string> environment;  // KEY=VALUE, beside the container's
    std::optional<std::string> folder;
    std::optional<User> user;
    std::optional<TerminalSize> terminal;  // absent: it has none
};

// JSON of OCI's "process" for the plan. inspection: what containerd knows of the container, JSON with the
// specification in "Spec"; nothing when it has no process in it.
[[nodiscard]] std::optional<std::string> exec_json(std::string_view inspection, const ExecPlan& plan);

// The absolute folder that is the container's root, by the same; nothing where it is not told.
[[nodiscard]] std::optional<std::string> root_of(std::string_view inspection);

}  // namespace shorewatch::ctl
