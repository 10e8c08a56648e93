// Bytes a second over the last half second or so of a clock that only the caller knows: when packets left, or when they
// arrived elsewhere.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>

#include "time.hpp"

namespace tertulia {

class RateWindow {
 public:
  static constexpr TimeUs kBucketUs = 25 * kMillisecond;
  static constexpr std::size_t kBuckets = 20;
  static constexpr std::size_t kShort = 10;  // buckets

  // Roughly in order; what is older than the window is not counted.
  void Add(TimeUs at_us, std::size_t bytes) {
    const std::int64_t bucket = at_us / kBucketUs;
    if (!started_ || bucket - newest_ > static_cast<std::int64_t>(4 * kBuckets) || newest_ - bucket > kJump) {
      started_ = true;
      bytes_.fill(0);
      newest_ = first_ = bucket;
    }
    for (; newest_ < bucket; ++newest_) {
      bytes_[Index(newest_ + 1)] = 0;
    }
    if (newest_ - bucket < static_cast<std::int64_t>(kBuckets)) {
      bytes_[Index(bucket)] += static_cast<std::uint32_t>(bytes);
    }
  }

  // Bits a second over the last `buckets` that are full; 0 while there are fewer than four.
  [[nodiscard]] std::uint64_t Rate(std::size_t buckets = kBuckets - 1) const {
    const std::int64_t full =
        started_ ? std::min<std::int64_t>(newest_ - first_, static_cast<std::int64_t>(buckets)) : 0;
    if (full < 4) {
      return 0;
    }
    std::uint64_t sum = 0;
    for (std::int64_t i = 1; i <= full; ++i) {
      sum += bytes_[Index(newest_ - i)];
    }
    return sum * 8 * kSecond / static_cast<std::uint64_t>(full * kBucketUs);
  }

 private:
  static constexpr std::int64_t kJump = 1'000;
  static std::size_t Index(std::int64_t bucket) {
    return static_cast<std::size_t>(static_cast<std::uint64_t>(bucket) % kBuckets);
  }

  bool started_ = false;
  std::int64_t first_ = 0;
  std::int64_t newest_ = 0;
  std::array<std::uint32_t, kBuckets> bytes_{};
};

}  // namespace tertulia
