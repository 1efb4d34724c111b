#include "tests/fakes/listener.h"

#include <cerrno>
#include <cstring>
#include <system_error>

#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>

namespace shorewatch::fakes {

namespace {

int check(int result, const char* what) {
    if (result < 0) throw std::system_error(errno, std::generic_category(), what);
    return result;
}

UniqueFd new_socket(int family) {
    return UniqueFd(
        check(::socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), "create a socket"));
}

template <typename Address>
void bind_and_listen(const UniqueFd& fd, const Address& address) {
    check(::bind(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address), "bind a socket");
    check(::listen(fd.get(), SOMAXCONN), "listen");
}

}  // namespace

Listener::Listener(Endpoint::Transport transport) {
    endpoint_.transport = transport;
    if (transport == Endpoint::Transport::unix_socket) {
        endpoint_.socket_path = folder_.emplace().path() / "docker.sock";
    } else {
        endpoint_.host = "127.0.0.1";
    }
}

UniqueFd Listener::open() {
    return endpoint_.transport == Endpoint::Transport::unix_socket ? open_unix() : open_tcp();
}

UniqueFd Listener::open_unix() {
    remove_socket();
    UniqueFd fd = new_socket(AF_UNIX);
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    endpoint_.socket_path.copy(address.sun_path, sizeof address.sun_path - 1);
    bind_and_listen(fd, address);
    return fd;
}

UniqueFd Listener::open_tcp() {
    UniqueFd fd = new_socket(AF_INET);
    const int on = 1;
    check(::setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on), "set SO_REUSEADDR");
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons(endpoint_.port);
    bind_and_listen(fd, address);
    if (endpoint_.port != 0) return fd;
    socklen_t size = sizeof address;
    check(::getsockname(fd.get(), reinterpret_cast<sockaddr*>(&address), &size), "ask for the port");
    endpoint_.port = ntohs(address.sin_port);
    return fd;
}

void Listener::remove_socket() {
    std::filesystem::remove(endpoint_.socket_path);
}

void Listener::put_folder_in_place() {
    remove_socket();
    std::filesystem::create_directory(endpoint_.socket_path);
}

}  // namespace shorewatch::fakes
