#include "engines/http/http_error.h"

#include <cerrno>
#include <system_error>

#include <sys/socket.h>

#include "engines/http/json.h"
#include "engines/socket_file.h"
#include "engines/support/unique_fd.h"

namespace shorewatch::http {

namespace {

using Kind = EngineError::Kind;

// Of an engine's own words in an error message.
constexpr std::size_t longest_quote = 500;

struct Cause {
    Kind kind;
    std::string text;
};

std::string words_of(int error) {
    return std::generic_category().message(error);
}

// The system unit forbids it (RestrictAddressFamilies=), and libcurl's words for that lead nowhere.
bool may_use_network() {
    const UniqueFd socket(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    return socket || errno != EAFNOSUPPORT;
}

constexpr std::string_view no_network =
    "this daemon may not use the network; the drop-in remote-engines.conf for its unit, among the examples, "
    "allows it";

std::string connect_cause(const Endpoint& endpoint, const TransferFailure& failure) {
    // libcurl takes connect(2)'s EAGAIN for a connection under way, and then finds none.
    if (endpoint.is_local())
        return unix_socket_cause(SocketFile(endpoint).name(),
                                 failure.os_error == 0 ? EAGAIN : failure.os_error);
    if (!may_use_network()) return std::string(no_network);
    if (failure.os_error == ECONNREFUSED)
        return "connection refused; is the engine running, and listening there?";
    return failure.os_error != 0 ? words_of(failure.os_error) : std::string(failure.text);
}

std::string tls_cause(const std::string& text) {
    // OpenSSL's words for bytes that are no TLS at all.
    const bool plain = text.find("wrong version number") != std::string::npos;
    return "no TLS connection: " + text + (plain ? "; does the engine speak TLS there?" : "");
}

Cause timeout_cause(const TransferFailure& failure) {
    const std::string limit = " within " + in_seconds(failure.deadline);
    if (failure.was_sent) return {Kind::timeout, "no answer" + limit + "; does the engine hang?"};
    return {Kind::unreachable, "no connection" + limit};
}

Cause cause_of(const Endpoint& endpoint, const TransferFailure& failure) {
    const std::string text(failure.text.empty() ? curl_easy_strerror(failure.code) : failure.text);
    switch (failure.code) {
        case CURLE_OPERATION_TIMEDOUT:
            return timeout_cause(failure);
        case CURLE_COULDNT_CONNECT:
            return {Kind::unreachable, connect_cause(endpoint, failure)};
        case CURLE_COULDNT_RESOLVE_HOST:
            return {Kind::unreachable, may_use_network() ? text : std::string(no_network)};
        case CURLE_SSL_CONNECT_ERROR:
            return {Kind::unreachable, tls_cause(text)};
        case CURLE_PEER_FAILED_VERIFICATION:
            return {Kind::unreachable, "its certificate is refused: " + text};
        case CURLE_SSL_CERTPROBLEM:
        case CURLE_SSL_CACERT_BADFILE:
            return {Kind::unreachable, "cannot use the TLS files: " + text};
        case CURLE_RECV_ERROR:
            // So libcurl calls malformed chunks too.
            if (text.find("chunk") != std::string::npos)
                return {Kind::protocol, "the answer is garbled: " + text};
            [[fallthrough]];
        case CURLE_SEND_ERROR:
            return {Kind::unreachable, "the connection broke: " + text};
        case CURLE_GOT_NOTHING:
            return {Kind::protocol, "the connection was closed without an answer"};
        case CURLE_PARTIAL_FILE:
            return {Kind::protocol, "the answer broke off: " + text};
        case CURLE_UNSUPPORTED_PROTOCOL:  // an answer that looks like HTTP/0.9
        case CURLE_WEIRD_SERVER_REPLY:
            return {Kind::protocol, "what answers does not speak HTTP/1: " + text};
        default:
            return {Kind::protocol, text};
    }
}

std::string engine_words(std::string_view body) {
    try {
        const json::Document document{std::string(body)};
        if (std::string message = json::text_at(document.root(), {"message"}); !message.empty())
            return message;
    } catch (const json::Malformed&) {
        // Proxies and web servers answer in plain text or HTML.
    }
    const std::size_t end = body.find_last_not_of(" \r\n");
    return end == std::string_view::npos ? std::string{} : std::string(body.substr(0, end + 1));
}

}  // namespace

EngineError transfer_error(std::string_view purpose, const Endpoint& endpoint,
                           const TransferFailure& failure) {
    const Cause cause = cause_of(endpoint, failure);
    return make_error(cause.kind, purpose, endpoint, cause.text);
}

EngineError status_error(std::string_view purpose, const Endpoint& endpoint, int status,
                         std::string_view body) {
    const std::string words = excerpt(engine_words(body), longest_quote);
    const std::string cause = "HTTP " + std::to_string(status) + (words.empty() ? "" : ": " + words);
    return make_error(status == 404 ? Kind::not_found : Kind::engine, purpose, endpoint, cause);
}

}  // namespace shorewatch::http
