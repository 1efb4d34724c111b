#include "tests/fakes/http_response.h"

#include <array>
#include <charconv>
#include <ctime>

namespace shorewatch::fakes {

namespace {

// From this length on dockerd's answers come in chunks.
constexpr std::size_t chunked_from = 2048;

const char* reason(int status) {
    switch (status) {
        case 200:
            return "OK";
        case 400:
            return "Bad Request";
        case 404:
            return "Not Found";
        case 409:
            return "Conflict";
        case 500:
            return "Internal Server Error";
        case 503:
            return "Service Unavailable";
        default:
            return "Whatever";
    }
}

std::string hexadecimal(std::size_t number) {
    std::array<char, 20> text{};
    const auto end = std::to_chars(text.data(), text.data() + text.size(), number, 16).ptr;
    return {text.data(), end};
}

}  // namespace

std::string status_line(int status) {
    return "HTTP/1.1 " + std::to_string(status) + " " + reason(status) + "\r\n";
}

std::string chunk(std::string_view text) {
    return hexadecimal(text.size()) + "\r\n" + std::string(text) + "\r\n";
}

std::string framed(const std::string& body, Framing framing) {
    if (framing == Framing::as_dockerd) {
        framing = body.size() < chunked_from ? Framing::content_length : Framing::chunks;
    }
    constexpr auto chunked = "Transfer-Encoding: chunked\r\n\r\n";
    constexpr auto last_chunk = "0\r\n\r\n";
    const auto with_length = [&](std::size_t length) {
        return "Content-Length: " + std::to_string(length) + "\r\n\r\n" + body;
    };
    switch (framing) {
        case Framing::chunks:
            return chunked + (body.empty() ? "" : chunk(body)) + last_chunk;
        case Framing::bad_chunk_size:
            return chunked + ("xyz\r\n" + body) + "\r\n" + last_chunk;
        case Framing::until_close:
            return "Connection: close\r\n\r\n" + body;
        case Framing::content_length_too_large:
            return with_length(body.size() + 1);
        default:
            return with_length(body.size());
    }
}

std::string http_date() {
    std::array<char, 64> text{};
    const std::time_t now = std::time(nullptr);
    std::tm parts{};
    std::strftime(text.data(), text.size(), "%a, %d %b %Y %H:%M:%S GMT", gmtime_r(&now, &parts));
    return text.data();
}

}  // namespace shorewatch::fakes
