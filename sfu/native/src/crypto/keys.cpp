#include "crypto/keys.hpp"

#include <openssl/crypto.h>
#include <openssl/evp.h>

#include <memory>

namespace tertulia {

namespace {
// Labels of RFC 3711, 4.3.2; RTCP's are the same plus 3.
constexpr std::uint8_t kLabelKey = 0;
constexpr std::uint8_t kLabelAuth = 1;
constexpr std::uint8_t kLabelSalt = 2;
constexpr std::uint8_t kRtcpLabels = 3;

struct ContextDeleter {
  void operator()(EVP_CIPHER_CTX* context) const { EVP_CIPHER_CTX_free(context); }
};

// AES in counter mode as a pseudo-random function (RFC 3711, 4.3.3; RFC 6188 for the 256-bit key).
bool Derive(EVP_CIPHER_CTX* context, Bytes master_salt, std::uint8_t label, std::size_t size, SecretBytes& out) {
  std::array<std::uint8_t, 16> iv{};
  // RFC 7714, 11: a 96-bit salt takes the place of the first 96 bits of the 112-bit one.
  std::memcpy(iv.data(), master_salt.data(), master_salt.size());
  iv[7] ^= label;
  constexpr std::array<std::uint8_t, 32> kZeros{};
  int written = 0;
  out.size = size;
  return EVP_EncryptInit_ex2(context, nullptr, nullptr, iv.data(), nullptr) == 1 &&
         EVP_EncryptUpdate(context, out.data.data(), &written, kZeros.data(), static_cast<int>(size)) == 1;
}
}  // namespace

SecretBytes::~SecretBytes() { OPENSSL_cleanse(data.data(), data.size()); }

std::optional<SrtpProfile> SrtpProfileFromNumber(std::uint16_t number) {
  switch (static_cast<SrtpProfile>(number)) {
    case SrtpProfile::kAes128CmHmacSha1:
    case SrtpProfile::kAeadAes128Gcm:
    case SrtpProfile::kAeadAes256Gcm:
      return static_cast<SrtpProfile>(number);
  }
  return std::nullopt;
}

SrtpSizes SizesOf(SrtpProfile profile) {
  switch (profile) {
    case SrtpProfile::kAes128CmHmacSha1:
      return {.key = 16, .salt = 14, .auth_key = 20, .tag = 10};
    case SrtpProfile::kAeadAes128Gcm:
      return {.key = 16, .salt = 12, .auth_key = 0, .tag = 16};
    case SrtpProfile::kAeadAes256Gcm:
      return {.key = 32, .salt = 12, .auth_key = 0, .tag = 16};
  }
  return {};
}

std::optional<SrtpSessionKeys> DeriveSrtpKeys(SrtpProfile profile, Bytes master) {
  const SrtpSizes sizes = SizesOf(profile);
  if (sizes.key == 0 || master.size() != sizes.key + sizes.salt) return std::nullopt;
  const Bytes salt = master.subspan(sizes.key);
  const std::unique_ptr<EVP_CIPHER_CTX, ContextDeleter> context(EVP_CIPHER_CTX_new());
  const EVP_CIPHER* cipher = sizes.key == 32 ? EVP_aes_256_ctr() : EVP_aes_128_ctr();
  if (!context || EVP_EncryptInit_ex2(context.get(), cipher, master.data(), nullptr, nullptr) != 1) return std::nullopt;

  SrtpSessionKeys keys;
  bool derived = true;
  for (const auto& [target, offset] : {std::pair{&keys.rtp, std::uint8_t{0}}, std::pair{&keys.rtcp, kRtcpLabels}}) {
    const auto derive = [&, offset = offset](std::uint8_t label, std::size_t size, SecretBytes& out) {
      return Derive(context.get(), salt, static_cast<std::uint8_t>(label + offset), size, out);
    };
    derived = derived && derive(kLabelKey, sizes.key, target->key) && derive(kLabelSalt, sizes.salt, target->salt) &&
              derive(kLabelAuth, sizes.auth_key, target->auth_key);
  }
  return derived ? std::optional(keys) : std::nullopt;
}

}  // namespace tertulia
