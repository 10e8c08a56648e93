// What was sent to a viewer under which transport-wide number, until its feedback says what became of it. One counter a
// viewer over media, repairs and probes. Memory follows the rate: the ring grows while packets younger than two seconds
// would be overwritten, so a steady stream allocates nothing.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "time.hpp"

namespace tertulia {

class TwccHistory {
 public:
  static constexpr std::size_t kFirstSize = 64;
  static constexpr std::size_t kMaxSize = 8'192;  // 64 KiB; half of what the numbers could tell apart
  static constexpr TimeUs kKeepUs = 2 * kSecond;

  struct Sent {
    TimeUs at_us = 0;
    std::uint16_t size = 0;    // bytes
    std::uint8_t cluster = 0;  // the probe that it was part of; 0: none
  };

  // A packet leaves at `now` (never 0). Returns its number.
  std::uint16_t Add(TimeUs now, std::size_t size, std::uint8_t cluster) {
    if (entries_.empty() || (Age(now) < kKeepUs && entries_.size() < kMaxSize)) {
      Grow();
    }
    Place(next_) = Pack({now, static_cast<std::uint16_t>(size < kMaxBytes ? size : kMaxBytes), cluster});
    return static_cast<std::uint16_t>(next_++);
  }

  // What is known of this number; it is told once. Nothing for one that was never used, or too long ago.
  std::optional<Sent> Take(std::uint16_t sequence) {
    const auto back = static_cast<std::uint16_t>(next_ - 1 - sequence);
    if (back >= entries_.size() || back >= next_) {
      return std::nullopt;
    }
    std::uint64_t& entry = Place(next_ - 1 - back);
    if (entry == 0) {
      return std::nullopt;
    }
    const Sent sent = Unpack(entry);
    entry = 0;
    return sent;
  }

  [[nodiscard]] std::size_t size() const { return entries_.size(); }

 private:
  // Time, size and cluster share 64 bits: 2^44 µs are half a year.
  static constexpr unsigned kSizeBits = 12, kClusterBits = 8;
  static constexpr std::uint64_t kMaxBytes = (1U << kSizeBits) - 1;

  static std::uint64_t Pack(const Sent& sent) {
    return static_cast<std::uint64_t>(sent.at_us) << (kSizeBits + kClusterBits) |
           std::uint64_t{sent.size} << kClusterBits | sent.cluster;
  }
  static Sent Unpack(std::uint64_t entry) {
    return {static_cast<TimeUs>(entry >> (kSizeBits + kClusterBits)),
            static_cast<std::uint16_t>(entry >> kClusterBits & kMaxBytes), static_cast<std::uint8_t>(entry)};
  }

  [[nodiscard]] std::uint64_t& Place(std::uint64_t number) { return entries_[number & (entries_.size() - 1)]; }
  // Of what the next number would overwrite; long ago where that is nothing.
  [[nodiscard]] TimeUs Age(TimeUs now) {
    const std::uint64_t entry = Place(next_);
    return entry == 0 ? kKeepUs : now - Unpack(entry).at_us;
  }

  void Grow() {
    std::vector<std::uint64_t> grown(entries_.empty() ? kFirstSize : 2 * entries_.size());
    for (std::uint64_t back = 1; back <= entries_.size() && back <= next_; ++back) {
      grown[(next_ - back) & (grown.size() - 1)] = Place(next_ - back);
    }
    entries_ = std::move(grown);
  }

  std::vector<std::uint64_t> entries_;  // 0: nothing, or told already
  std::uint64_t next_ = 0;
};

}  // namespace tertulia
