// Explicit big-endian reads and writes (network byte order, RFC 1700). The caller has checked the bounds of the
// unchecked functions; ByteReader and ByteWriter check them and stay failed once they have failed.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>

namespace tertulia {

using Bytes = std::span<const std::uint8_t>;
using MutableBytes = std::span<std::uint8_t>;

inline std::uint16_t ReadU16(const std::uint8_t* p) { return static_cast<std::uint16_t>(p[0] << 8 | p[1]); }

inline std::uint32_t ReadU24(const std::uint8_t* p) {
  return std::uint32_t{p[0]} << 16 | std::uint32_t{p[1]} << 8 | std::uint32_t{p[2]};
}

inline std::uint32_t ReadU32(const std::uint8_t* p) {
  return std::uint32_t{p[0]} << 24 | std::uint32_t{p[1]} << 16 | std::uint32_t{p[2]} << 8 | std::uint32_t{p[3]};
}

inline std::uint64_t ReadU64(const std::uint8_t* p) { return std::uint64_t{ReadU32(p)} << 32 | ReadU32(p + 4); }

inline void WriteU16(std::uint8_t* p, std::uint16_t value) {
  p[0] = static_cast<std::uint8_t>(value >> 8);
  p[1] = static_cast<std::uint8_t>(value);
}

inline void WriteU24(std::uint8_t* p, std::uint32_t value) {
  p[0] = static_cast<std::uint8_t>(value >> 16);
  p[1] = static_cast<std::uint8_t>(value >> 8);
  p[2] = static_cast<std::uint8_t>(value);
}

inline void WriteU32(std::uint8_t* p, std::uint32_t value) {
  WriteU16(p, static_cast<std::uint16_t>(value >> 16));
  WriteU16(p + 2, static_cast<std::uint16_t>(value));
}

inline void WriteU64(std::uint8_t* p, std::uint64_t value) {
  WriteU32(p, static_cast<std::uint32_t>(value >> 32));
  WriteU32(p + 4, static_cast<std::uint32_t>(value));
}

// Reads forward over a span. After a read beyond the end every read gives zeros and ok() is false.
class ByteReader {
 public:
  explicit ByteReader(Bytes bytes) : bytes_(bytes) {}

  [[nodiscard]] bool ok() const { return ok_; }
  [[nodiscard]] std::size_t remaining() const { return bytes_.size() - position_; }
  [[nodiscard]] std::size_t position() const { return position_; }

  std::uint8_t U8() { return Has(1) ? bytes_[position_++] : std::uint8_t{0}; }
  std::uint16_t U16() { return Has(2) ? ReadU16(Advance(2)) : std::uint16_t{0}; }
  std::uint32_t U24() { return Has(3) ? ReadU24(Advance(3)) : 0; }
  std::uint32_t U32() { return Has(4) ? ReadU32(Advance(4)) : 0; }
  std::uint64_t U64() { return Has(8) ? ReadU64(Advance(8)) : 0; }
  Bytes Take(std::size_t size) { return Has(size) ? Bytes(Advance(size), size) : Bytes(); }

 private:
  bool Has(std::size_t size) {
    ok_ = ok_ && remaining() >= size;
    return ok_;
  }
  const std::uint8_t* Advance(std::size_t size) {
    const std::uint8_t* p = bytes_.data() + position_;
    position_ += size;
    return p;
  }

  Bytes bytes_;
  std::size_t position_ = 0;
  bool ok_ = true;
};

// Writes forward into a span. After a write that does not fit nothing more is written and ok() is false.
class ByteWriter {
 public:
  explicit ByteWriter(MutableBytes bytes) : bytes_(bytes) {}

  [[nodiscard]] bool ok() const { return ok_; }
  [[nodiscard]] std::size_t size() const { return position_; }
  [[nodiscard]] std::size_t remaining() const { return bytes_.size() - position_; }
  [[nodiscard]] Bytes written() const { return bytes_.first(position_); }

  void U8(std::uint8_t value) {
    if (Has(1)) *Advance(1) = value;
  }
  void U16(std::uint16_t value) {
    if (Has(2)) WriteU16(Advance(2), value);
  }
  void U24(std::uint32_t value) {
    if (Has(3)) WriteU24(Advance(3), value);
  }
  void U32(std::uint32_t value) {
    if (Has(4)) WriteU32(Advance(4), value);
  }
  void U64(std::uint64_t value) {
    if (Has(8)) WriteU64(Advance(8), value);
  }
  void Put(Bytes value) {
    if (Has(value.size()) && !value.empty()) std::memcpy(Advance(value.size()), value.data(), value.size());
  }
  void Zeros(std::size_t count) {
    if (Has(count) && count > 0) std::memset(Advance(count), 0, count);
  }

 private:
  bool Has(std::size_t size) {
    ok_ = ok_ && remaining() >= size;
    return ok_;
  }
  std::uint8_t* Advance(std::size_t size) {
    std::uint8_t* p = bytes_.data() + position_;
    position_ += size;
    return p;
  }

  MutableBytes bytes_;
  std::size_t position_ = 0;
  bool ok_ = true;
};

}  // namespace tertulia
