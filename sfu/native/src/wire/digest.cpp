// OpenSSL 3 calls the plain SHA-1 functions deprecated, yet they are the only ones whose state is a value that can be
// copied without an allocation, and they use the same assembler.
#define OPENSSL_SUPPRESS_DEPRECATED  // NOLINT(readability-identifier-naming): OpenSSL's name

#include "wire/digest.hpp"

#include <openssl/crypto.h>

namespace tertulia {

namespace {
constexpr std::size_t kBlock = 64;

constexpr std::array<std::uint32_t, 256> MakeCrcTable() {
  std::array<std::uint32_t, 256> table{};
  for (std::uint32_t i = 0; i < table.size(); ++i) {
    std::uint32_t value = i;
    for (int bit = 0; bit < 8; ++bit) value = (value & 1) != 0 ? value >> 1 ^ 0xEDB88320U : value >> 1;
    table[i] = value;
  }
  return table;
}

constexpr std::array<std::uint32_t, 256> kCrcTable = MakeCrcTable();
}  // namespace

HmacSha1::HmacSha1(Bytes key) {
  std::array<std::uint8_t, kBlock> block{};
  if (key.size() > kBlock) {
    SHA1(key.data(), key.size(), block.data());
  } else if (!key.empty()) {
    std::memcpy(block.data(), key.data(), key.size());
  }
  for (std::uint8_t& byte : block) byte ^= 0x36;
  SHA1_Init(&inner_);
  SHA1_Update(&inner_, block.data(), block.size());
  for (std::uint8_t& byte : block) byte ^= 0x36 ^ 0x5C;
  SHA1_Init(&outer_);
  SHA1_Update(&outer_, block.data(), block.size());
  OPENSSL_cleanse(block.data(), block.size());
}

HmacSha1::~HmacSha1() {
  OPENSSL_cleanse(&inner_, sizeof inner_);
  OPENSSL_cleanse(&outer_, sizeof outer_);
}

HmacSha1::Tag HmacSha1::Compute(std::initializer_list<Bytes> parts) const {
  Tag tag{};
  SHA_CTX context = inner_;
  for (const Bytes part : parts) SHA1_Update(&context, part.data(), part.size());
  SHA1_Final(tag.data(), &context);
  context = outer_;
  SHA1_Update(&context, tag.data(), tag.size());
  SHA1_Final(tag.data(), &context);
  return tag;
}

bool ConstantTimeEqual(Bytes a, Bytes b) {
  return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

std::uint32_t Crc32(Bytes bytes) {
  std::uint32_t crc = 0xFFFFFFFF;
  for (const std::uint8_t byte : bytes) crc = crc >> 8 ^ kCrcTable[(crc ^ byte) & 0xFF];
  return ~crc;
}

}  // namespace tertulia
