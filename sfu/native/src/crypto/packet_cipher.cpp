#include "crypto/packet_cipher.hpp"

#include <openssl/core_names.h>
#include <openssl/evp.h>

#include "wire/digest.hpp"

namespace tertulia {

namespace {

struct CipherDeleter {
  void operator()(EVP_CIPHER* cipher) const { EVP_CIPHER_free(cipher); }
  void operator()(EVP_CIPHER_CTX* context) const { EVP_CIPHER_CTX_free(context); }
};
using CipherPointer = std::unique_ptr<EVP_CIPHER, CipherDeleter>;
using ContextPointer = std::unique_ptr<EVP_CIPHER_CTX, CipherDeleter>;

// Fetching costs a search through OpenSSL's providers, so it is done once a program.
const EVP_CIPHER* Fetch(SrtpProfile profile) {
  static const CipherPointer kCtr128(EVP_CIPHER_fetch(nullptr, "AES-128-CTR", nullptr));
  static const CipherPointer kGcm128(EVP_CIPHER_fetch(nullptr, "AES-128-GCM", nullptr));
  static const CipherPointer kGcm256(EVP_CIPHER_fetch(nullptr, "AES-256-GCM", nullptr));
  switch (profile) {
    case SrtpProfile::kAes128CmHmacSha1:
      return kCtr128.get();
    case SrtpProfile::kAeadAes128Gcm:
      return kGcm128.get();
    case SrtpProfile::kAeadAes256Gcm:
      return kGcm256.get();
  }
  return nullptr;
}

bool SetIv(EVP_CIPHER_CTX* context, const std::uint8_t* iv) {
  return EVP_CipherInit_ex2(context, nullptr, nullptr, iv, -1, nullptr) == 1;
}

// Empty runs are skipped: OpenSSL takes a null pointer or a size of 0 for "finish".
bool Update(EVP_CIPHER_CTX* context, std::uint8_t* out, Bytes in) {
  int written = 0;
  return in.empty() || EVP_CipherUpdate(context, out, &written, in.data(), static_cast<int>(in.size())) == 1;
}

bool Final(EVP_CIPHER_CTX* context) {
  std::uint8_t nothing[16];
  int written = 0;
  return EVP_CipherFinal_ex(context, nothing, &written) == 1;
}

// The context, and behind it the state with key schedule and tables, which OpenSSL allocates next. Where it lies
// elsewhere this asks for memory in vain, which costs nothing.
void PrefetchContext(const EVP_CIPHER_CTX* context) {
  constexpr std::size_t kContextBytes = 1216;
  constexpr std::size_t kCacheLine = 64;
  const char* begin = reinterpret_cast<const char*>(context);
  for (std::size_t i = 0; i < kContextBytes; i += kCacheLine) __builtin_prefetch(begin + i);
}

// AEAD_AES_128_GCM and AEAD_AES_256_GCM (RFC 7714): head and trailer are associated data.
class GcmCipher final : public PacketCipher {
 public:
  GcmCipher(ContextPointer context, Bytes salt) : context_(std::move(context)) {
    std::memcpy(salt_.data(), salt.data(), salt_.size());
  }

  bool Seal(const PacketIndex& id, Bytes head, Bytes plain, Bytes trailer, std::uint8_t* out,
            std::uint8_t* tag) override {
    if (!Begin(id) || !Update(context_.get(), nullptr, head) || !Update(context_.get(), nullptr, trailer) ||
        !Update(context_.get(), out, plain) || !Final(context_.get())) {
      return false;
    }
    OSSL_PARAM parameters[] = {OSSL_PARAM_construct_octet_string(OSSL_CIPHER_PARAM_AEAD_TAG, tag, kTag),
                               OSSL_PARAM_END};
    return EVP_CIPHER_CTX_get_params(context_.get(), parameters) == 1;
  }

  bool Open(const PacketIndex& id, Bytes head, MutableBytes text, Bytes trailer, Bytes tag) override {
    std::array<std::uint8_t, kTag> expected{};
    std::memcpy(expected.data(), tag.data(), kTag);
    const OSSL_PARAM parameters[] = {
        OSSL_PARAM_construct_octet_string(OSSL_CIPHER_PARAM_AEAD_TAG, expected.data(), kTag), OSSL_PARAM_END};
    return Begin(id) && EVP_CIPHER_CTX_set_params(context_.get(), parameters) == 1 &&
           Update(context_.get(), nullptr, head) && Update(context_.get(), nullptr, trailer) &&
           Update(context_.get(), text.data(), text) && Final(context_.get());
  }

  void Prefetch() const override { PrefetchContext(context_.get()); }
  [[nodiscard]] bool aead() const override { return true; }

 private:
  static constexpr std::size_t kTag = 16;

  // RFC 7714, 8.1 and 9.1: two zero bytes, SSRC, 48-bit index (for SRTCP: 16 zero bits and the 31-bit one), XOR salt.
  bool Begin(const PacketIndex& id) {
    std::array<std::uint8_t, 12> iv{};
    WriteU32(&iv[2], id.ssrc);
    WriteU16(&iv[6], static_cast<std::uint16_t>(id.index >> 32));
    WriteU32(&iv[8], static_cast<std::uint32_t>(id.index));
    for (std::size_t i = 0; i < iv.size(); ++i) iv[i] ^= salt_[i];
    return SetIv(context_.get(), iv.data());
  }

  ContextPointer context_;
  std::array<std::uint8_t, 12> salt_{};
};

// AES_CM_128_HMAC_SHA1_80 (RFC 3711): counter mode, and the tag over head, ciphertext and trailer.
class CounterModeCipher final : public PacketCipher {
 public:
  CounterModeCipher(ContextPointer context, Bytes salt, Bytes auth_key)
      : context_(std::move(context)), hmac_(auth_key) {
    std::memcpy(salt_.data(), salt.data(), salt.size());
  }

  bool Seal(const PacketIndex& id, Bytes head, Bytes plain, Bytes trailer, std::uint8_t* out,
            std::uint8_t* tag) override {
    if (!Begin(id) || !Update(context_.get(), out, plain)) return false;
    const HmacSha1::Tag full = hmac_.Compute({head, Bytes(out, plain.size()), trailer});
    std::memcpy(tag, full.data(), kTag);
    return true;
  }

  bool Open(const PacketIndex& id, Bytes head, MutableBytes text, Bytes trailer, Bytes tag) override {
    const HmacSha1::Tag full = hmac_.Compute({head, text, trailer});
    return ConstantTimeEqual(Bytes(full).first(kTag), tag) && Begin(id) && Update(context_.get(), text.data(), text);
  }

  void Prefetch() const override { PrefetchContext(context_.get()); }
  [[nodiscard]] bool aead() const override { return false; }

 private:
  static constexpr std::size_t kTag = 10;

  // RFC 3711, 4.1.1: IV = (salt * 2^16) XOR (SSRC * 2^64) XOR (index * 2^16).
  bool Begin(const PacketIndex& id) {
    std::array<std::uint8_t, 16> iv{};
    WriteU32(&iv[4], id.ssrc);
    WriteU16(&iv[8], static_cast<std::uint16_t>(id.index >> 32));
    WriteU32(&iv[10], static_cast<std::uint32_t>(id.index));
    for (std::size_t i = 0; i < iv.size(); ++i) iv[i] ^= salt_[i];
    return SetIv(context_.get(), iv.data());
  }

  ContextPointer context_;
  HmacSha1 hmac_;
  std::array<std::uint8_t, 16> salt_{};
};

}  // namespace

std::unique_ptr<PacketCipher> PacketCipher::Create(SrtpProfile profile, const SrtpKeys& keys, CipherUse use) {
  const bool counter_mode = profile == SrtpProfile::kAes128CmHmacSha1;
  // Counter mode is its own inverse.
  const int encrypt = use == CipherUse::kEncrypt || counter_mode ? 1 : 0;
  ContextPointer context(EVP_CIPHER_CTX_new());
  if (!context ||
      EVP_CipherInit_ex2(context.get(), Fetch(profile), keys.key.data.data(), nullptr, encrypt, nullptr) != 1) {
    return nullptr;
  }
  if (counter_mode) {
    return std::make_unique<CounterModeCipher>(std::move(context), keys.salt.bytes(), keys.auth_key.bytes());
  }
  return std::make_unique<GcmCipher>(std::move(context), keys.salt.bytes());
}

}  // namespace tertulia
