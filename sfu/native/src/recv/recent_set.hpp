// The last 64 sequence numbers: which of them has something been done with already?
#pragma once

#include <cstdint>

namespace tertulia {

class RecentSet {
 public:
  // True the first time; false again, and for numbers too old to tell.
  bool Insert(std::int64_t sequence) {
    if (mask_ == 0 || sequence - newest_ >= 64) {
      newest_ = sequence;
      mask_ = 1;
      return true;
    }
    if (sequence > newest_) {
      mask_ <<= static_cast<unsigned>(sequence - newest_);
      newest_ = sequence;
    }
    const std::int64_t age = newest_ - sequence;
    if (age >= 64) {
      return false;
    }
    const std::uint64_t bit = std::uint64_t{1} << static_cast<unsigned>(age);
    const bool fresh = (mask_ & bit) == 0;
    mask_ |= bit;
    return fresh;
  }

  [[nodiscard]] bool Has(std::int64_t sequence) const {
    const std::int64_t age = newest_ - sequence;
    return age >= 0 && age < 64 && (mask_ >> static_cast<unsigned>(age) & 1) != 0;
  }

 private:
  std::int64_t newest_ = 0;
  std::uint64_t mask_ = 0;
};

}  // namespace tertulia
