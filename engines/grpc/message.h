// Messages as they come: bytes of whoever has sent them.
#pragma once

#include <limits>
#include <optional>
#include <string_view>

namespace shorewatch::grpc {

// Message: one that protoc has made. Nothing: these bytes are none.
template <typename Message>
[[nodiscard]] std::optional<Message> parsed(std::string_view bytes) {
    Message message;
    if (bytes.size() > std::numeric_limits<int>::max() ||
        !message.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) {
        return std::nullopt;
    }
    return message;
}

}  // namespace shorewatch::grpc
