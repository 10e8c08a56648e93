// SRTP protection profiles and session key derivation (RFC 3711 section 4.3, RFC 7714 section 11), key derivation rate
// 0.
#pragma once

#include <array>
#include <cstdint>
#include <optional>

#include "wire/bytes.hpp"

namespace tertulia {

// The DTLS-SRTP protection profile numbers of the IANA registry (RFC 5764, RFC 7714).
enum class SrtpProfile : std::uint16_t {
  kAes128CmHmacSha1 = 0x0001,
  kAeadAes128Gcm = 0x0007,
  kAeadAes256Gcm = 0x0008,
};

struct SrtpSizes {
  std::size_t key = 0;
  std::size_t salt = 0;
  std::size_t auth_key = 0;  // 0: the cipher authenticates
  std::size_t tag = 0;
};

[[nodiscard]] std::optional<SrtpProfile> SrtpProfileFromNumber(std::uint16_t number);
[[nodiscard]] SrtpSizes SizesOf(SrtpProfile profile);

// Key material that is wiped when it goes out of scope.
struct SecretBytes {
  std::array<std::uint8_t, 32> data{};
  std::size_t size = 0;

  SecretBytes() = default;
  SecretBytes(const SecretBytes&) = default;
  SecretBytes& operator=(const SecretBytes&) = default;
  ~SecretBytes();
  [[nodiscard]] Bytes bytes() const { return Bytes(data).first(size); }
};

struct SrtpKeys {
  SecretBytes key;
  SecretBytes salt;
  SecretBytes auth_key;
};

struct SrtpSessionKeys {
  SrtpKeys rtp;
  SrtpKeys rtcp;
};

// `master` is key || salt as DTLS-SRTP exports it; nothing if its size is not that of the profile.
[[nodiscard]] std::optional<SrtpSessionKeys> DeriveSrtpKeys(SrtpProfile profile, Bytes master);

}  // namespace tertulia
