// Numbers with the holes closed: what is left out on purpose leaves no gap in what is sent, and a late number from
// before a hole still gets the place that was kept for it. A bit for each of the last `Size` numbers says whether it
// was left out, so that any pattern of omissions (every second picture, say) costs the same few bytes.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>
#include <optional>

namespace tertulia {

template <std::size_t Size>
class GapMap {
  static_assert(Size % 64 == 0);

 public:
  // `first` becomes `out`; nothing before it is mapped any more.
  void Open(std::int64_t first, std::int64_t out) {
    first_ = first;
    newest_ = first - 1;
    offset_ = out - first;
    left_out_ = 0;
    bits_.fill(0);
  }

  // What `number` is sent as; nothing for one that was left out, came before the first, or is too old to tell.
  std::optional<std::int64_t> Map(std::int64_t number) {
    if (number < first_) {
      return std::nullopt;
    }
    if (number > newest_) {
      MoveTo(number);
    } else if (newest_ - number >= static_cast<std::int64_t>(Size) || LeftOut(number)) {
      return std::nullopt;
    }
    return number + offset_ - (left_out_ - LeftOutFrom(number));
  }

  // Leaves `number` out, unless it is late: then its place was kept, and stays a gap.
  void Skip(std::int64_t number) {
    if (number < first_ || number <= newest_) {
      return;
    }
    MoveTo(number);
    const std::size_t bit = Bit(number);
    bits_[bit / 64] |= std::uint64_t{1} << (bit % 64);
    ++left_out_;
  }

  // What would follow on everything so far.
  [[nodiscard]] std::int64_t next() const { return newest_ + 1 + offset_ - left_out_; }

 private:
  static std::size_t Bit(std::int64_t number) { return static_cast<std::uint64_t>(number) % Size; }
  [[nodiscard]] bool LeftOut(std::int64_t number) const {
    return (bits_[Bit(number) / 64] >> (Bit(number) % 64) & 1) != 0;
  }

  void MoveTo(std::int64_t number) {
    if (number - newest_ >= static_cast<std::int64_t>(Size)) {
      bits_.fill(0);
    } else {
      for (std::int64_t i = newest_ + 1; i <= number; ++i) {
        bits_[Bit(i) / 64] &= ~(std::uint64_t{1} << (Bit(i) % 64));
      }
    }
    newest_ = number;
  }

  // How many from `number` to the newest were left out.
  [[nodiscard]] std::int64_t LeftOutFrom(std::int64_t number) const {
    if (left_out_ == 0) {
      return 0;
    }
    std::int64_t count = 0;
    for (std::int64_t i = number; i <= newest_;) {
      const std::size_t bit = Bit(i);
      const auto run = std::min<std::int64_t>(64 - static_cast<std::int64_t>(bit % 64), newest_ - i + 1);
      const std::uint64_t mask = run == 64 ? ~std::uint64_t{0} : (std::uint64_t{1} << run) - 1;
      count += std::popcount(bits_[bit / 64] >> (bit % 64) & mask);
      i += run;
    }
    return count;
  }

  std::int64_t first_ = 0;
  std::int64_t newest_ = -1;
  std::int64_t offset_ = 0;
  std::int64_t left_out_ = 0;
  std::array<std::uint64_t, Size / 64> bits_{};
};

}  // namespace tertulia
