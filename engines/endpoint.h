// Where an engine listens: a unix socket, TCP, or TCP with TLS; written as in DOCKER_HOST.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "engines/support/process.h"

namespace shorewatch {

// PEM files, absolute paths. As docker's --tlscacert, --tlscert and --tlskey.
struct TlsFiles {
    std::string ca;           // who may have signed the server's certificate; empty: the system's authorities
    std::string certificate;  // ours, with key: mutual TLS, as dockerd --tlsverify demands; both or neither
    std::string key;

    bool operator==(const TlsFiles&) const = default;
};

struct Endpoint {
    enum class Transport { unix_socket, tcp, tls };

    Transport transport = Transport::unix_socket;
    std::string socket_path;  // unix_socket: absolute
    // unix_socket: of an engine in a container: socket_path is below the root folder of this process, its
    // initial one. None: it is below ours.
    std::optional<Process> inside;
    // unix_socket: who may listen there besides root and the user that we run as. None: nobody else.
    std::optional<std::uint32_t> user;
    std::string host;        // tcp, tls: name or address, IPv6 without its brackets
    std::uint16_t port = 0;  // tcp, tls
    TlsFiles tls;            // tls

    // Does the engine share our kernel, so that its pids are ours too? Assumed of unix sockets only.
    [[nodiscard]] bool is_local() const noexcept { return transport == Transport::unix_socket; }

    // unix_socket: the path as it can be looked at from here. A link in it may lead astray where it is
    // inside: to connect, there is SocketFile.
    [[nodiscard]] std::string file() const;

    // "unix:///run/docker.sock", "tcp://host:2375", "https://host:2376"; in a container
    // "unix:///proc/PID/root/run/docker.sock"
    [[nodiscard]] std::string url() const;

    bool operator==(const Endpoint&) const = default;

    // Takes "unix:///path", a plain "/path", "tcp://host[:port]", "http://host[:port]",
    // "https://host[:port]". use_tls makes tcp:// TLS (as DOCKER_TLS_VERIFY does); https:// always is.
    // Default ports 2375 and, with TLS, 2376. In /run/user/UID that user may listen.
    // Throws std::invalid_argument, whose text says what was expected.
    [[nodiscard]] static Endpoint parse(std::string_view text, bool use_tls = false);
};

}  // namespace shorewatch
