// Unwrapping: numbers of a few bits, as they travel, become 64-bit numbers that never wrap.
#pragma once

#include <cstdint>
#include <optional>

namespace tertulia {

// `Bits` wide numbers; each is taken to lie within half a turn of the newest one seen.
template <unsigned Bits>
class Unwrapper {
 public:
  std::int64_t Unwrap(std::uint64_t value) {
    const std::int64_t unwrapped = Peek(value);
    if (!newest_ || unwrapped > *newest_) {
      newest_ = unwrapped;
    }
    return unwrapped;
  }

  // The same without remembering it.
  [[nodiscard]] std::int64_t Peek(std::uint64_t value) const {
    constexpr std::uint64_t kMask = (std::uint64_t{1} << Bits) - 1;
    constexpr std::uint64_t kHalf = std::uint64_t{1} << (Bits - 1);
    if (!newest_) {
      return static_cast<std::int64_t>(value & kMask);
    }
    const std::uint64_t ahead = (value - static_cast<std::uint64_t>(*newest_)) & kMask;
    const std::int64_t step =
        ahead < kHalf ? static_cast<std::int64_t>(ahead) : static_cast<std::int64_t>(ahead) - (std::int64_t{1} << Bits);
    return *newest_ + step;
  }

  void Reset() { newest_.reset(); }

 private:
  std::optional<std::int64_t> newest_;
};

}  // namespace tertulia
