#include "pattern.hpp"

#include <algorithm>
#include <array>

namespace tertulia::load {

namespace {

constexpr std::size_t kTableSize = 1 << 16;
constexpr std::size_t kLongest = 2048;

// Random-looking bytes, made once (xorshift, Marsaglia 2003). A packet's bytes are a stretch of it.
const std::array<std::uint8_t, kTableSize + kLongest>& Table() {
  static const auto kBytes = [] {
    std::array<std::uint8_t, kTableSize + kLongest> bytes{};
    std::uint64_t state = 0x9E3779B97F4A7C15U;
    for (std::uint8_t& byte : bytes) {
      state ^= state << 13;
      state ^= state >> 7;
      state ^= state << 17;
      byte = static_cast<std::uint8_t>(state >> 24);
    }
    return bytes;
  }();
  return kBytes;
}

Bytes BytesFor(const Stamp& stamp, std::size_t size) {
  const std::size_t start = static_cast<std::size_t>(stamp.counter * 40'503 + stamp.sender * 7'919ULL) % kTableSize;
  return Bytes(Table()).subspan(start, size);
}

}  // namespace

void WriteBody(const Stamp& stamp, MutableBytes body) {
  WriteU32(body.data(), stamp.sender);
  WriteU64(&body[4], stamp.counter);
  const auto rest = body.subspan(kStampSize);
  const auto bytes = BytesFor(stamp, rest.size());
  std::copy(bytes.begin(), bytes.end(), rest.begin());
}

std::optional<Stamp> CheckBody(Bytes body) {
  if (body.size() < kStampSize) return std::nullopt;
  const Stamp stamp{ReadU32(body.data()), ReadU64(&body[4])};
  const auto rest = body.subspan(kStampSize);
  if (rest.size() > kLongest) return std::nullopt;
  const auto bytes = BytesFor(stamp, rest.size());
  if (!std::equal(bytes.begin(), bytes.end(), rest.begin())) return std::nullopt;
  return stamp;
}

}  // namespace tertulia::load
