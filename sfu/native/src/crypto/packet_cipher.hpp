// One direction of one kind of packet (SRTP or SRTCP) under one key: encrypts or decrypts a run of bytes and makes or
// checks the tag. Two families behind one interface; the session's profile decides once which one it is.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <memory>

#include "crypto/keys.hpp"
#include "wire/bytes.hpp"

namespace tertulia {

enum class CipherUse : std::uint8_t { kEncrypt, kDecrypt };

// What makes a packet's IV: its SSRC and its 48-bit SRTP index, or 31-bit SRTCP index.
struct PacketIndex {
  std::uint32_t ssrc = 0;
  std::uint64_t index = 0;
};

class PacketCipher {
 public:
  virtual ~PacketCipher() = default;
  PacketCipher() = default;
  PacketCipher(const PacketCipher&) = delete;
  PacketCipher& operator=(const PacketCipher&) = delete;

  // Null if OpenSSL refuses (it never should with keys of the right size).
  static std::unique_ptr<PacketCipher> Create(SrtpProfile profile, const SrtpKeys& keys, CipherUse use);

  // `plain` into `out` (same size; the two may be the same bytes) and the tag right behind it. The tag covers `head`,
  // then the ciphertext, then `trailer`; see TagInput for what each family makes of them.
  virtual bool Seal(const PacketIndex& id, Bytes head, Bytes plain, Bytes trailer, std::uint8_t* out,
                    std::uint8_t* tag) = 0;

  // Decrypts `text` in place; false if the tag does not match, and then the text is unspecified.
  virtual bool Open(const PacketIndex& id, Bytes head, MutableBytes text, Bytes trailer, Bytes tag) = 0;

  // Begins to bring the cipher's state from memory to the cache.
  virtual void Prefetch() const = 0;

  // RFC 7714 puts the SRTCP tag before the E and index word, RFC 3711 behind it.
  [[nodiscard]] virtual bool aead() const = 0;
};

}  // namespace tertulia
