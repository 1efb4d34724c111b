// All that the runtime interface has to say of a container or a sandbox, as JSON: what `crictl inspect` and
// `crictl inspectp` print.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace shorewatch::cri {

// bytes: a verbose answer of ContainerStatus, or of PodSandboxStatus, serialized. Nothing when it is not
// that, or about another one.
[[nodiscard]] std::optional<std::string> inspection_json(const std::string& id, bool of_sandbox,
                                                         std::string_view bytes);

}  // namespace shorewatch::cri
