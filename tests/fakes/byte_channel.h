// The bytes of one accepted connection, plain or under TLS. Non-blocking.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "engines/support/unique_fd.h"

namespace shorewatch::fakes {

class ByteChannel {
  public:
    enum class Outcome { moved, blocked, ended };
    struct Transfer {
        Outcome outcome = Outcome::ended;
        std::size_t bytes = 0;  // moved
    };

    explicit ByteChannel(UniqueFd fd) noexcept : fd_(std::move(fd)) {}
    virtual ~ByteChannel() = default;
    ByteChannel(const ByteChannel&) = delete;
    ByteChannel& operator=(const ByteChannel&) = delete;

    [[nodiscard]] int fd() const noexcept { return fd_.get(); }
    virtual Transfer read(std::span<char> into);
    virtual Transfer write(std::string_view bytes);
    // Does the channel wait to write, whatever its user wants? (A TLS handshake may.)
    [[nodiscard]] virtual bool waits_to_write() const { return false; }

  private:
    UniqueFd fd_;
};

// PEM files of a server, as dockerd's --tlscert, --tlskey and (with --tlsverify) --tlscacert.
struct ServerCertificate {
    std::string certificate;
    std::string key;
    std::string client_ca = {};  // empty: clients show no certificate
};

// Makes channels of the descriptors that a listener accepts.
class ChannelFactory {
  public:
    virtual ~ChannelFactory() = default;
    virtual std::unique_ptr<ByteChannel> make(UniqueFd fd) {
        return std::make_unique<ByteChannel>(std::move(fd));
    }
};

// Throws std::runtime_error when the files can't be used, or when this was built without OpenSSL.
[[nodiscard]] std::unique_ptr<ChannelFactory> make_tls_factory(const ServerCertificate& files);

}  // namespace shorewatch::fakes
