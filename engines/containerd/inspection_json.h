// All that containerd has to say of a container, as JSON: what `ctr container info` prints, and its task.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace shorewatch::containerd {

// record and task: answers of Containers.Get and Tasks.Get, serialized; no task: there is none, and the
// member Task is null. Nothing when they are not what was asked for, or about another container.
[[nodiscard]] std::optional<std::string> inspection_json(const std::string& id, std::string_view record,
                                                         const std::optional<std::string>& task);

}  // namespace shorewatch::containerd
