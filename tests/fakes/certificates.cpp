#include "tests/fakes/certificates.h"

#include <cstdio>
#include <stdexcept>

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

namespace shorewatch::fakes {

namespace {

template <auto function>
struct Free {
    template <typename T>
    void operator()(T* object) const noexcept {
        function(object);
    }
};
using Key = std::unique_ptr<EVP_PKEY, Free<EVP_PKEY_free>>;
using Certificate = std::unique_ptr<X509, Free<X509_free>>;
using Extension = std::unique_ptr<X509_EXTENSION, Free<X509_EXTENSION_free>>;
using File = std::unique_ptr<std::FILE, Free<std::fclose>>;

void require(bool done, const char* what) {
    if (!done) throw std::runtime_error(std::string("OpenSSL can't ") + what);
}

Key new_key() {
    Key key(EVP_PKEY_Q_keygen(nullptr, nullptr, "EC", "P-256"));
    require(key != nullptr, "make a key");
    return key;
}

File open_file(const std::string& path) {
    File file(std::fopen(path.c_str(), "w"));
    if (!file) throw std::runtime_error("cannot write " + path);
    return file;
}

void set_name(X509_NAME* name, const std::string& text) {
    const auto* bytes = reinterpret_cast<const unsigned char*>(text.c_str());
    require(X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8, bytes, -1, -1, 0) == 1, "set a name");
}

void add_extension(X509* certificate, int kind, const std::string& value) {
    const Extension extension(X509V3_EXT_conf_nid(nullptr, nullptr, kind, value.c_str()));
    require(extension && X509_add_ext(certificate, extension.get(), -1) == 1, "add an extension");
}

// Not yet signed, and without an issuer.
Certificate new_certificate(EVP_PKEY* key, long serial, const std::string& name,
                            std::chrono::seconds lifetime) {
    Certificate certificate(X509_new());
    require(certificate != nullptr, "make a certificate");
    X509_set_version(certificate.get(), X509_VERSION_3);
    ASN1_INTEGER_set(X509_get_serialNumber(certificate.get()), serial);
    X509_gmtime_adj(X509_getm_notBefore(certificate.get()), -24L * 3600);
    X509_gmtime_adj(X509_getm_notAfter(certificate.get()), static_cast<long>(lifetime.count()));
    set_name(X509_get_subject_name(certificate.get()), name);
    require(X509_set_pubkey(certificate.get(), key) == 1, "set a public key");
    return certificate;
}

bool is_address(const std::string& host) {
    return host.find_first_not_of("0123456789.") == std::string::npos;
}

}  // namespace

struct Authority::Signer {
    Key key;
    Certificate certificate;
};

Authority::Authority() : signer_(std::make_unique<Signer>()) {
    signer_->key = new_key();
    signer_->certificate =
        new_certificate(signer_->key.get(), 1, folder_.path().filename(), std::chrono::hours(1));
    X509* certificate = signer_->certificate.get();
    X509_set_issuer_name(certificate, X509_get_subject_name(certificate));
    add_extension(certificate, NID_basic_constraints, "critical,CA:TRUE");
    require(X509_sign(certificate, signer_->key.get(), EVP_sha256()) != 0, "sign a certificate");
    require(PEM_write_X509(open_file(file()).get(), certificate) == 1, "write a certificate");
}

Authority::~Authority() = default;

std::string Authority::file() const {
    return folder_.path() / "ca.pem";
}

CertificateFiles Authority::issue(const std::string& host, std::chrono::seconds lifetime) {
    const Key key = new_key();
    const Certificate certificate = new_certificate(key.get(), ++issued_ + 1, host, lifetime);
    X509_set_issuer_name(certificate.get(), X509_get_subject_name(signer_->certificate.get()));
    add_extension(certificate.get(), NID_subject_alt_name, (is_address(host) ? "IP:" : "DNS:") + host);
    require(X509_sign(certificate.get(), signer_->key.get(), EVP_sha256()) != 0, "sign a certificate");
    const std::string number = std::to_string(issued_);
    const CertificateFiles files{folder_.path() / (number + "-cert.pem"),
                                 folder_.path() / (number + "-key.pem")};
    require(PEM_write_X509(open_file(files.certificate).get(), certificate.get()) == 1,
            "write a certificate");
    require(PEM_write_PrivateKey(open_file(files.key).get(), key.get(), nullptr, nullptr, 0, nullptr,
                                 nullptr) == 1,
            "write a key");
    return files;
}

}  // namespace shorewatch::fakes
