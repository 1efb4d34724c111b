// Reading HTTP requests.
#include <algorithm>
#include <cctype>
#include <charconv>
#include <ranges>
#include <stdexcept>

#include "tests/fakes/http_server.h"

namespace shorewatch::fakes {

namespace {

std::string percent_decoded(std::string_view text) {
    std::string result;
    for (std::size_t i = 0; i < text.size(); ++i) {
        unsigned byte = 0;
        const char* digits = text.data() + i + 1;
        if (text[i] == '%' && i + 2 < text.size() &&
            std::from_chars(digits, digits + 2, byte, 16).ptr == digits + 2) {
            result += static_cast<char>(byte);
            i += 2;
        } else {
            result += text[i] == '+' ? ' ' : text[i];
        }
    }
    return result;
}

// Up to the separator, which is removed with it; all of text when there is none.
std::string_view take_until(std::string_view& text, std::string_view separator) {
    const std::size_t at = text.find(separator);
    const std::string_view result = text.substr(0, at);
    text.remove_prefix(at == std::string_view::npos ? text.size() : at + separator.size());
    return result;
}

std::string lower(std::string_view text) {
    std::string result(text);
    std::ranges::transform(result, result.begin(),
                           [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    return result;
}

void parse_target(std::string_view target, HttpRequest& request) {
    // The path is not decoded as a form: a plus in it is a plus.
    request.path = take_until(target, "?");
    while (!target.empty()) {
        std::string_view value = take_until(target, "&");
        const std::string_view key = take_until(value, "=");
        request.parameters.insert_or_assign(percent_decoded(key), percent_decoded(value));
    }
}

HttpRequest parse_head(std::string_view head) {
    HttpRequest request;
    std::string_view line = take_until(head, "\r\n");
    request.method = take_until(line, " ");
    parse_target(take_until(line, " "), request);
    if (line != "HTTP/1.1" || !request.path.starts_with('/'))
        throw std::invalid_argument("no HTTP/1.1 request");
    while (!head.empty()) {
        std::string_view value = take_until(head, "\r\n");
        const std::string_view name = take_until(value, ":");
        value.remove_prefix(std::min(value.find_first_not_of(' '), value.size()));
        request.headers.insert_or_assign(lower(name), std::string(value));
    }
    return request;
}

}  // namespace

std::string HttpRequest::parameter(const std::string& name) const {
    const auto found = parameters.find(name);
    return found == parameters.end() ? std::string() : found->second;
}

bool take_http_request(std::string& text, HttpRequest& request) {
    // Whoever speaks TLS to us would wait for an answer for ever.
    const bool starts_well = text.empty() || std::isupper(static_cast<unsigned char>(text.front())) != 0;
    if (!starts_well) throw std::invalid_argument("no HTTP method");
    const std::size_t end = text.find("\r\n\r\n");
    if (end == std::string::npos) return false;
    request = parse_head(std::string_view(text).substr(0, end));
    if (request.headers.contains("transfer-encoding"))
        throw std::invalid_argument("the length of a watcher's bodies is known");
    std::size_t length = 0;
    if (const auto told = request.headers.find("content-length"); told != request.headers.end()) {
        const std::string& digits = told->second;
        const char* const behind = digits.data() + digits.size();
        if (std::from_chars(digits.data(), behind, length).ptr != behind)
            throw std::invalid_argument("no Content-Length");
    }
    if (text.size() - end - 4 < length) return false;
    request.body = text.substr(end + 4, length);
    text.erase(0, end + 4 + length);
    return true;
}

}  // namespace shorewatch::fakes
