// SHA-256, for the names that containerd gives to unpacked layers.
#pragma once

#include <string>
#include <string_view>

namespace shorewatch::containerd {

// "sha256:" and 64 hexadecimal digits.
[[nodiscard]] std::string sha256_digest(std::string_view text);

}  // namespace shorewatch::containerd
