// How gRPC's failures are put to a person.
#pragma once

#include <chrono>
#include <string_view>

#include "engines/endpoint.h"
#include "engines/result.h"

namespace shorewatch::grpc {

struct Failure {
    int code = 0;                          // gRPC's
    std::string_view text;                 // the engine's words, or gRPC's own
    std::chrono::milliseconds deadline{};  // that the call had; zero: none
};

// purpose completes "cannot …".
[[nodiscard]] EngineError status_error(std::string_view purpose, const Endpoint& endpoint,
                                       const Failure& failure);

}  // namespace shorewatch::grpc
