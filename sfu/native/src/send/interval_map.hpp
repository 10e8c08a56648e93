// How a source's numbers become a slot's: offsets that hold from one sequence number on, until the next interval. One
// offset would not do: when a packet is left out, what follows it moves down by one, while a late packet from before
// must still get the number that was kept for it.
#pragma once

#include <array>
#include <cstdint>

namespace tertulia {

// Added to VP8's numbers, each modulo its own width.
struct Vp8Offsets {
  std::uint16_t picture_id = 0;
  std::uint8_t tl0_index = 0;
  std::uint8_t key_index = 0;
};

struct Interval {
  std::int64_t first = 0;            // the source's sequence number, unwrapped
  std::int64_t sequence_offset = 0;  // added to it
  std::uint32_t timestamp_offset = 0;
  Vp8Offsets vp8;
};

class IntervalMap {
 public:
  static constexpr std::size_t kSize = 16;

  // Forgets everything; nothing before `interval.first` is mapped any more.
  void Open(const Interval& interval) {
    count_ = 1;
    newest_ = 0;
    intervals_[0] = interval;
  }
  void Close() { count_ = 0; }
  [[nodiscard]] bool open() const { return count_ != 0; }

  // From `interval.first`, which is after all others, on. The oldest interval makes way.
  void Push(const Interval& interval) {
    if (interval.first == newest().first) {
      Replace(interval);
      return;
    }
    newest_ = (newest_ + 1) % kSize;
    intervals_[newest_] = interval;
    count_ = count_ < kSize ? count_ + 1 : kSize;
  }
  // In the place of the newest, of which nothing is needed any more.
  void Replace(const Interval& interval) { intervals_[newest_] = interval; }

  [[nodiscard]] const Interval& newest() const { return intervals_[newest_]; }

  // Null for what came before the first interval that is remembered.
  [[nodiscard]] const Interval* Find(std::int64_t sequence) const {
    std::size_t at = newest_;
    for (std::size_t i = 0; i < count_; ++i) {
      if (sequence >= intervals_[at].first) {
        return &intervals_[at];
      }
      at = (at + kSize - 1) % kSize;
    }
    return nullptr;
  }

 private:
  std::array<Interval, kSize> intervals_{};
  std::size_t newest_ = 0;
  std::size_t count_ = 0;
};

}  // namespace tertulia
