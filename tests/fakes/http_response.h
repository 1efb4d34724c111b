// The texts of HTTP responses, right and wrong.
#pragma once

#include <string>
#include <string_view>

namespace shorewatch::fakes {

// How the end of an answer's body is told. dockerd sends chunks when a body is longer than about 2 kB, and a
// Content-Length when it is not.
enum class Framing {
    as_dockerd,
    content_length,
    chunks,
    until_close,
    bad_chunk_size,
    content_length_too_large
};

[[nodiscard]] std::string status_line(int status);
// The headers that frame a body, the blank line, and the framed body.
[[nodiscard]] std::string framed(const std::string& body, Framing framing);
[[nodiscard]] std::string chunk(std::string_view text);
// "Sun, 22 Nov 2026 00:32:24 GMT"
[[nodiscard]] std::string http_date();

}  // namespace shorewatch::fakes
