#include "engines/containerd/runtime/sha256.h"

#include <array>
#include <stdexcept>

#include <openssl/evp.h>

namespace shorewatch::containerd {

std::string sha256_digest(std::string_view text) {
    std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
    unsigned int size = 0;
    if (EVP_Digest(text.data(), text.size(), digest.data(), &size, EVP_sha256(), nullptr) != 1)
        throw std::runtime_error("libcrypto has no SHA-256");
    constexpr std::string_view digits = "0123456789abcdef";
    std::string name = "sha256:";
    for (unsigned int i = 0; i < size; ++i) {
        name += digits[digest.at(i) >> 4U];
        name += digits[digest.at(i) & 0xFU];
    }
    return name;
}

}  // namespace shorewatch::containerd
