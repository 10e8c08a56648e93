// What the fuzz targets share: bytes taken from the front of the input to make choices with, and a check that stays on
// in every build.
#pragma once

#include <cstdio>
#include <cstdlib>

#include "wire/bytes.hpp"

// The property that a target asserts.
#define FUZZ_CHECK(condition)                                                      \
  do {                                                                             \
    if (!(condition)) {                                                            \
      std::fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, #condition); \
      std::abort();                                                                \
    }                                                                              \
  } while (false)

namespace tertulia::fuzz {

// Uses a value made from bytes, so that the reads are not optimised away.
inline volatile std::size_t used_value = 0;
inline void Use(std::size_t value) { used_value = value; }

// Gives zeros when the input is used up, so that every input makes a complete run.
class Input {
 public:
  explicit Input(Bytes bytes) : rest_(bytes) {}
  Input(const std::uint8_t* data, std::size_t size) : rest_(data, size) {}

  [[nodiscard]] bool empty() const { return rest_.empty(); }
  [[nodiscard]] Bytes rest() const { return rest_; }

  std::uint8_t Byte() { return rest_.empty() ? std::uint8_t{0} : Take(1)[0]; }
  std::uint16_t Word() {
    const std::uint8_t high = Byte();
    return static_cast<std::uint16_t>(high << 8 | Byte());
  }
  std::uint32_t Long() {
    const std::uint32_t high = Word();
    return high << 16 | Word();
  }
  Bytes Take(std::size_t size) {
    const Bytes taken = rest_.first(size < rest_.size() ? size : rest_.size());
    rest_ = rest_.subspan(taken.size());
    return taken;
  }

 private:
  Bytes rest_;
};

}  // namespace tertulia::fuzz
