// Which indices of the packets that were sent were passed over, and so may still be used, once: a packet that its
// source sent again arrives after its successors have left. Everything else that is not newer than the newest stays
// refused, since different bytes under one index give away the key stream.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

namespace tertulia {

class SkippedIndices {
 public:
  static constexpr std::size_t kMax = 256;
  static constexpr std::uint64_t kMaxGap = 64;  // of a longer gap, only the end is remembered

  // The indices between `newest` and `next` were not used. The oldest that are remembered make way.
  void Add(std::uint32_t ssrc, std::uint64_t newest, std::uint64_t next) {
    for (std::uint64_t index = std::max(newest + 1, next < kMaxGap ? 0 : next - kMaxGap); index < next; ++index) {
      if (entries_.size() < kMax) {
        entries_.push_back({ssrc, index});
      } else {
        entries_[oldest_] = {ssrc, index};
        oldest_ = (oldest_ + 1) % kMax;
      }
    }
  }

  // True, once, for an index that was passed over.
  bool Take(std::uint32_t ssrc, std::uint64_t index) {
    for (Entry& entry : entries_) {
      if (entry.ssrc == ssrc && entry.index == index) {
        entry.index = kTaken;
        return true;
      }
    }
    return false;
  }

 private:
  static constexpr std::uint64_t kTaken = UINT64_MAX;  // no index: they have 48 bits
  struct Entry {
    std::uint32_t ssrc = 0;
    std::uint64_t index = 0;
  };
  std::vector<Entry> entries_;  // grows only while packets are missing
  std::size_t oldest_ = 0;
};

}  // namespace tertulia
