#include "certificate.hpp"

#include <openssl/ec.h>
#include <openssl/rand.h>

#include <array>
#include <cstdint>
#include <cstring>
#include <stdexcept>

namespace tertulia::load {

namespace {

constexpr long kValidSeconds = 24L * 3600;
constexpr long kX509Version3 = 2;

void Require(bool done, const char* what) {
  if (!done) throw std::runtime_error(what);
}

}  // namespace

Certificate::Certificate() : key_(EVP_EC_gen("P-256")), x509_(X509_new()) {
  Require(key_ != nullptr && x509_ != nullptr, "cannot make a certificate");
  std::uint32_t serial = 0;
  Require(RAND_bytes(reinterpret_cast<unsigned char*>(&serial), sizeof serial) == 1, "no random bytes");
  X509_set_version(x509_.get(), kX509Version3);
  ASN1_INTEGER_set(X509_get_serialNumber(x509_.get()), static_cast<long>(serial));
  X509_gmtime_adj(X509_getm_notBefore(x509_.get()), -3600);
  X509_gmtime_adj(X509_getm_notAfter(x509_.get()), kValidSeconds);
  X509_set_pubkey(x509_.get(), key_.get());
  X509_NAME* name = X509_get_subject_name(x509_.get());
  constexpr std::array<unsigned char, 13> kName{"tertuliaload"};
  X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, kName.data(), -1, -1, 0);
  X509_set_issuer_name(x509_.get(), name);
  Require(X509_sign(x509_.get(), key_.get(), EVP_sha256()) > 0, "cannot sign a certificate");
}

std::string Certificate::FingerprintOf(const X509* x509) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned int length = 0;
  Require(X509_digest(x509, EVP_sha256(), digest.data(), &length) == 1, "cannot digest a certificate");
  constexpr char kHex[] = "0123456789ABCDEF";
  std::string text;
  for (unsigned int i = 0; i < length; ++i) {
    if (i > 0) text += ':';
    text += kHex[digest[i] >> 4];
    text += kHex[digest[i] & 15];
  }
  return text;
}

}  // namespace tertulia::load
