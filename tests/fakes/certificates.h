// Certificates for TLS tests, made when the test runs.
#pragma once

#include <chrono>
#include <memory>
#include <string>

#include "tests/fakes/temporary_folder.h"

namespace shorewatch::fakes {

// Names of PEM files.
struct CertificateFiles {
    std::string certificate;
    std::string key;
};

// An authority with a temporary folder of its own, which goes with it. All keys are P-256.
class Authority {
  public:
    Authority();
    ~Authority();
    Authority(const Authority&) = delete;
    Authority& operator=(const Authority&) = delete;

    // Its own certificate, to be trusted.
    [[nodiscard]] std::string file() const;

    // A certificate for a host name or an IPv4 address, valid from a day before until `lifetime` after now;
    // with a negative lifetime it is expired.
    [[nodiscard]] CertificateFiles issue(const std::string& host,
                                         std::chrono::seconds lifetime = std::chrono::hours(1));

  private:
    struct Signer;
    std::unique_ptr<Signer> signer_;
    TemporaryFolder folder_;
    int issued_ = 0;
};

}  // namespace shorewatch::fakes
