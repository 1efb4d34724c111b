// The server's side of TLS, on OpenSSL.
#include <stdexcept>

#include <openssl/err.h>
#include <openssl/ssl.h>

#include "tests/fakes/byte_channel.h"

namespace shorewatch::fakes {

namespace {

struct FreeContext {
    void operator()(SSL_CTX* context) const noexcept { SSL_CTX_free(context); }
};
struct FreeSession {
    void operator()(SSL* session) const noexcept { SSL_free(session); }
};

class TlsChannel : public ByteChannel {
  public:
    TlsChannel(UniqueFd fd, SSL_CTX* context) : ByteChannel(std::move(fd)), session_(SSL_new(context)) {
        SSL_set_fd(session_.get(), ByteChannel::fd());
        SSL_set_accept_state(session_.get());
        SSL_set_mode(session_.get(), SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    }

    Transfer read(std::span<char> into) override {
        ERR_clear_error();
        return outcome_of(SSL_read(session_.get(), into.data(), static_cast<int>(into.size())));
    }
    Transfer write(std::string_view bytes) override {
        ERR_clear_error();
        const auto size = static_cast<int>(std::min<std::size_t>(bytes.size(), 1U << 20U));
        return outcome_of(SSL_write(session_.get(), bytes.data(), size));
    }
    [[nodiscard]] bool waits_to_write() const override { return SSL_want_write(session_.get()) != 0; }

  private:
    Transfer outcome_of(int result) {
        if (result > 0) return {Outcome::moved, static_cast<std::size_t>(result)};
        const int error = SSL_get_error(session_.get(), result);
        const bool blocked = error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE;
        return {blocked ? Outcome::blocked : Outcome::ended};
    }

    std::unique_ptr<SSL, FreeSession> session_;
};

class TlsFactory : public ChannelFactory {
  public:
    explicit TlsFactory(const ServerCertificate& files) : context_(SSL_CTX_new(TLS_server_method())) {
        SSL_CTX* context = context_.get();
        require(SSL_CTX_use_certificate_chain_file(context, files.certificate.c_str()), files.certificate);
        require(SSL_CTX_use_PrivateKey_file(context, files.key.c_str(), SSL_FILETYPE_PEM), files.key);
        if (files.client_ca.empty()) return;
        require(SSL_CTX_load_verify_locations(context, files.client_ca.c_str(), nullptr), files.client_ca);
        SSL_CTX_set_verify(context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
        // Without one, a client that was verified can't resume its session, as libcurl 8 does.
        const unsigned char id[] = "fake";
        SSL_CTX_set_session_id_context(context, id, sizeof id);
    }

    std::unique_ptr<ByteChannel> make(UniqueFd fd) override {
        return std::make_unique<TlsChannel>(std::move(fd), context_.get());
    }

  private:
    static void require(int result, const std::string& file) {
        if (result != 1) throw std::runtime_error("OpenSSL can't use " + file);
    }

    std::unique_ptr<SSL_CTX, FreeContext> context_;
};

}  // namespace

std::unique_ptr<ChannelFactory> make_tls_factory(const ServerCertificate& files) {
    return std::make_unique<TlsFactory>(files);
}

}  // namespace shorewatch::fakes
