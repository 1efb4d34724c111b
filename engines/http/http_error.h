// How failures of HTTP exchanges are put to a person: one wording for all engines that speak HTTP.
#pragma once

#include <chrono>
#include <cstddef>
#include <string>
#include <string_view>

#include <curl/curl.h>

#include "engines/endpoint.h"
#include "engines/error_text.h"
#include "engines/result.h"

namespace shorewatch::http {

// Those of all engines.
using shorewatch::excerpt;
using shorewatch::in_seconds;
using shorewatch::make_error;

// What libcurl says of a transfer that failed.
struct TransferFailure {
    CURLcode code = CURLE_OK;
    int os_error = 0;                      // errno of the connection attempt; 0: none, or not told
    bool was_sent = false;                 // was there a connection, and the request on its way?
    std::chrono::milliseconds deadline{};  // the one that passed, if code is CURLE_OPERATION_TIMEDOUT
    std::string_view text;                 // libcurl's own words; may be empty
};

// Looks at the socket's file too, where that tells more than errno does.
[[nodiscard]] EngineError transfer_error(std::string_view purpose, const Endpoint& endpoint,
                                         const TransferFailure& failure);

// For an answer whose status is not what success looks like. Takes the engine's words from body: the
// "message" of a JSON object (Docker, Podman), or else the text itself. 404 is not_found, everything else
// kind engine.
[[nodiscard]] EngineError status_error(std::string_view purpose, const Endpoint& endpoint, int status,
                                       std::string_view body);

}  // namespace shorewatch::http
