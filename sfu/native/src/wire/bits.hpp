// Reads and writes of single bits, the most significant first. A read beyond the end gives zeros and leaves ok() false.
#pragma once

#include <bit>
#include <cstdint>

#include "wire/bytes.hpp"

namespace tertulia {

class BitReader {
 public:
  explicit BitReader(Bytes bytes) : bytes_(bytes) {}

  [[nodiscard]] bool ok() const { return ok_; }
  [[nodiscard]] std::size_t position() const { return position_; }

  // Up to 32 bits.
  std::uint32_t Bits(unsigned count) {
    if (bytes_.size() * 8 - position_ < count) {
      ok_ = false;
      position_ = bytes_.size() * 8;
      return 0;
    }
    std::uint32_t value = 0;
    for (unsigned i = 0; i < count; ++i, ++position_) {
      value = value << 1 | (bytes_[position_ / 8] >> (7 - position_ % 8) & 1U);
    }
    return value;
  }
  bool Flag() { return Bits(1) != 0; }

  // ns(n) of the AV1 specification, 4.10.7: a value below `n` in as few bits as it needs.
  std::uint32_t NonSymmetric(std::uint32_t n) {
    const auto width = static_cast<unsigned>(std::bit_width(n));
    const std::uint32_t shorter = (std::uint32_t{1} << width) - n;
    const std::uint32_t value = Bits(width - 1);
    return value < shorter ? value : (value << 1) - shorter + Bits(1);
  }

 private:
  Bytes bytes_;
  std::size_t position_ = 0;
  bool ok_ = true;
};

// What does not fit is not written.
class BitWriter {
 public:
  explicit BitWriter(MutableBytes bytes) : bytes_(bytes) {}

  [[nodiscard]] bool ok() const { return ok_; }
  [[nodiscard]] std::size_t position() const { return position_; }
  // Bytes begun.
  [[nodiscard]] std::size_t size() const { return (position_ + 7) / 8; }

  void Bits(std::uint32_t value, unsigned count) {
    if (!ok_ || bytes_.size() * 8 - position_ < count) {
      ok_ = false;
      return;
    }
    for (unsigned i = count; i-- > 0; ++position_) {
      std::uint8_t& byte = bytes_[position_ / 8];
      byte = position_ % 8 == 0 ? std::uint8_t{0} : byte;
      byte = static_cast<std::uint8_t>(byte | (value >> i & 1U) << (7 - position_ % 8));
    }
  }
  // Bits [from, to) of other bytes, which has them.
  void Copy(Bytes bytes, std::size_t from, std::size_t to) {
    for (; from < to; ++from) {
      Bits(bytes[from / 8] >> (7 - from % 8) & 1U, 1);
    }
  }

 private:
  MutableBytes bytes_;
  std::size_t position_ = 0;
  bool ok_ = true;
};

}  // namespace tertulia
