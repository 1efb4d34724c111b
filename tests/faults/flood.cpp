#include "tests/faults/flood.h"

#include <array>
#include <cerrno>
#include <utility>
#include <vector>

#include <poll.h>
#include <sys/socket.h>

namespace shorewatch::fakes {

namespace {

constexpr std::string_view other_answers =
    "HTTP/1.1 200 OK\r\nApi-Version: 1.41\r\nConnection: close\r\n\r\n[]";

}  // namespace

Flood::Flood(Plan plan) : plan_(std::move(plan)) {
    thread_ = std::thread([this] { serve(); });
}

Flood::~Flood() {
    ending_ = true;
    ::shutdown(listening_.get(), SHUT_RDWR);  // which wakes the thread
    thread_.join();
}

void Flood::serve() noexcept {
    while (!ending_) {
        std::vector<pollfd> waiting{{listening_.get(), POLLIN, 0}, {flooded_.get(), POLLOUT, 0}};
        for (const Connection& connection : connections_)
            waiting.push_back({connection.fd.get(), POLLIN, 0});
        if (::poll(waiting.data(), waiting.size(), -1) < 0) continue;
        std::size_t index = 2;
        for (Connection& connection : connections_) {
            if (waiting[index++].revents != 0) take(connection);
        }
        std::erase_if(connections_, [](const Connection& connection) { return !connection.fd; });
        if (waiting[1].revents != 0) pour();
        if (UniqueFd fd{::accept4(listening_.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK)})
            connections_.push_back({std::move(fd)});
    }
}

void Flood::take(Connection& connection) {
    std::array<char, 4096> buffer{};
    const ssize_t size = ::recv(connection.fd.get(), buffer.data(), buffer.size(), 0);
    if (size <= 0) return connection.fd.reset();
    connection.request.append(buffer.data(), static_cast<std::size_t>(size));
    if (connection.request.find("\r\n\r\n") == std::string::npos) return;
    const std::string target = connection.request.substr(0, connection.request.find(" HTTP/"));
    const bool flooded = target.find(plan_.instead_of) != std::string::npos;
    const std::string_view answer = flooded ? std::string_view(plan_.beginning) : other_answers;
    static_cast<void>(::send(connection.fd.get(), answer.data(), answer.size(), MSG_NOSIGNAL));
    UniqueFd fd = std::move(connection.fd);
    if (flooded) flooded_ = std::move(fd);
}

void Flood::pour() {
    // On from where the last piece was cut.
    const std::string_view rest = std::string_view(plan_.garbage).substr(sent_ % plan_.garbage.size());
    const ssize_t size = ::send(flooded_.get(), rest.data(), rest.size(), MSG_NOSIGNAL);
    if (size > 0) sent_ += static_cast<std::size_t>(size);
    if ((size < 0 && errno != EAGAIN) || sent_ >= plan_.most) flooded_.reset();
}

}  // namespace shorewatch::fakes
