// Delays in buckets of 10 µs up to 2 s: exact enough for percentiles, constant cost a packet.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace tertulia::load {

class Histogram {
 public:
  void Add(std::int64_t ns) {
    const std::int64_t bucket = std::clamp<std::int64_t>(ns / kBucketNs, 0, static_cast<std::int64_t>(kBuckets) - 1);
    ++counts_[static_cast<std::size_t>(bucket)];
    ++total_;
  }

  void Clear() {
    std::fill(counts_.begin(), counts_.end(), 0);
    total_ = 0;
  }

  // The upper edge of the bucket that holds the given share of all values, in µs; 0 without values.
  [[nodiscard]] std::int64_t PercentileUs(double share) const {
    const auto wanted = static_cast<std::uint64_t>(static_cast<double>(total_) * share);
    std::uint64_t seen = 0;
    for (std::size_t i = 0; i < kBuckets; ++i) {
      seen += counts_[i];
      if (seen > wanted) return static_cast<std::int64_t>(i + 1) * kBucketNs / 1000;
    }
    return total_ == 0 ? 0 : static_cast<std::int64_t>(kBuckets) * kBucketNs / 1000;
  }

 private:
  static constexpr std::int64_t kBucketNs = 10'000;
  static constexpr std::size_t kBuckets = 200'000;

  std::vector<std::uint32_t> counts_ = std::vector<std::uint32_t>(kBuckets);
  std::uint64_t total_ = 0;
};

}  // namespace tertulia::load
