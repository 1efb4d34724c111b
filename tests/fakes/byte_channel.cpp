#include "tests/fakes/byte_channel.h"

#include <cerrno>
#include <stdexcept>

#include <sys/socket.h>

namespace shorewatch::fakes {

namespace {

ByteChannel::Transfer outcome_of(ssize_t result) {
    if (result > 0) return {ByteChannel::Outcome::moved, static_cast<std::size_t>(result)};
    if (result < 0 && (errno == EAGAIN || errno == EINTR)) return {ByteChannel::Outcome::blocked};
    return {ByteChannel::Outcome::ended};
}

}  // namespace

ByteChannel::Transfer ByteChannel::read(std::span<char> into) {
    return outcome_of(::recv(fd(), into.data(), into.size(), 0));
}

ByteChannel::Transfer ByteChannel::write(std::string_view bytes) {
    return outcome_of(::send(fd(), bytes.data(), bytes.size(), MSG_NOSIGNAL));
}

#ifndef SHOREWATCH_TEST_TLS
std::unique_ptr<ChannelFactory> make_tls_factory(const ServerCertificate&) {
    throw std::runtime_error("built without OpenSSL: the fake engine has no TLS");
}
#endif

}  // namespace shorewatch::fakes
