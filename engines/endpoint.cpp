#include "engines/endpoint.h"

#include <charconv>
#include <stdexcept>

#include "engines/support/text.h"

namespace shorewatch {

namespace {

// What sockaddr_un holds, less its final NUL.
constexpr std::size_t longest_socket_path = 107;

[[noreturn]] void reject(std::string_view text, std::string_view why) {
    throw std::invalid_argument("'" + printable(text) + "' is no endpoint: " + std::string(why) +
                                "; expected unix:///path/to/socket, tcp://host:port or https://host:port");
}

// Whose the folder /run/user/UID is that path is in.
std::optional<std::uint32_t> user_of(std::string_view path) {
    constexpr std::string_view users = "/run/user/";
    if (!path.starts_with(users)) return std::nullopt;
    path.remove_prefix(users.size());
    std::uint32_t user = 0;
    const auto [stopped, error] = std::from_chars(path.data(), path.data() + path.size(), user);
    if (error != std::errc{} ||
        !path.substr(static_cast<std::size_t>(stopped - path.data())).starts_with('/'))
        return std::nullopt;
    return user;
}

Endpoint parse_socket_path(std::string_view text, std::string_view path) {
    if (path.empty() || path.front() != '/') reject(text, "the path of a unix socket must be absolute");
    if (path.size() > longest_socket_path) reject(text, "the path of a unix socket has at most 107 bytes");
    if (path.find('\0') != std::string_view::npos) reject(text, "a path holds no NUL");
    Endpoint endpoint;
    endpoint.socket_path = path;
    endpoint.user = user_of(path);
    return endpoint;
}

std::uint16_t parse_port(std::string_view text, std::string_view digits) {
    unsigned port = 0;
    const char* end = digits.data() + digits.size();
    const auto [stopped, error] = std::from_chars(digits.data(), end, port);
    if (error != std::errc{} || stopped != end || port == 0 || port > 65535) {
        reject(text, "a port is a number from 1 to 65535");
    }
    return static_cast<std::uint16_t>(port);
}

bool is_host(std::string_view host) {
    return !host.empty() && host.find_first_not_of(
                                "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                "0123456789.-_:%") == std::string_view::npos;
}

Endpoint parse_host(std::string_view text, std::string_view rest, bool tls) {
    if (rest.ends_with('/')) rest.remove_suffix(1);
    Endpoint endpoint;
    endpoint.transport = tls ? Endpoint::Transport::tls : Endpoint::Transport::tcp;
    endpoint.port = tls ? 2376 : 2375;
    std::string_view host = rest;
    std::string_view port;
    if (rest.starts_with('[')) {
        const std::size_t bracket = rest.find(']');
        if (bracket == std::string_view::npos) reject(text, "an IPv6 address ends with ]");
        host = rest.substr(1, bracket - 1);
        port = rest.substr(bracket + 1);
        if (!port.empty() && !port.starts_with(':')) reject(text, "after ] comes nothing or :port");
    } else if (const std::size_t colon = rest.find(':'); colon != std::string_view::npos) {
        host = rest.substr(0, colon);
        port = rest.substr(colon);
    }
    if (!port.empty()) endpoint.port = parse_port(text, port.substr(1));
    if (!is_host(host)) reject(text, "it names no host");
    endpoint.host = host;
    return endpoint;
}

}  // namespace

std::string Endpoint::file() const {
    return inside ? "/proc/" + std::to_string(inside->pid) + "/root" + socket_path : socket_path;
}

std::string Endpoint::url() const {
    if (transport == Transport::unix_socket) return "unix://" + file();
    const bool ipv6 = host.find(':') != std::string::npos;
    return (transport == Transport::tls ? "https://" : "tcp://") + (ipv6 ? "[" + host + "]" : host) + ":" +
           std::to_string(port);
}

Endpoint Endpoint::parse(std::string_view text, bool use_tls) {
    const auto after = [&](std::string_view scheme) { return text.substr(scheme.size()); };
    if (text.starts_with("unix://")) return parse_socket_path(text, after("unix://"));
    if (text.starts_with('/')) return parse_socket_path(text, text);
    if (text.starts_with("tcp://")) return parse_host(text, after("tcp://"), use_tls);
    if (text.starts_with("http://")) return parse_host(text, after("http://"), use_tls);
    if (text.starts_with("https://")) return parse_host(text, after("https://"), true);
    reject(text, "its scheme is not known");
}

}  // namespace shorewatch
