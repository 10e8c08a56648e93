// A key pair and a self-signed certificate, fresh for every peer, as each browser has its own (RFC 8827, 6.5).
#pragma once

#include <string>

#include "openssl_handles.hpp"

namespace tertulia::load {

class Certificate {
 public:
  // Makes a P-256 key and signs a certificate with it. Throws std::runtime_error if OpenSSL refuses.
  Certificate();

  [[nodiscard]] EVP_PKEY* key() const { return key_.get(); }
  [[nodiscard]] X509* x509() const { return x509_.get(); }

  // "AB:CD:…", SHA-256, the form of SDP's a=fingerprint (RFC 8122, 5).
  [[nodiscard]] std::string Fingerprint() const { return FingerprintOf(x509_.get()); }
  [[nodiscard]] static std::string FingerprintOf(const X509* x509);

 private:
  KeyPtr key_;
  X509Ptr x509_;
};

}  // namespace tertulia::load
