// A slot's timestamps are one line over the worker's clock, for the slot's whole life: whatever is shown is placed on
// it by when it was captured, and the slot's sender reports say the same line.
#pragma once

#include <cstdint>

#include "time.hpp"

namespace tertulia {

class Timeline {
 public:
  Timeline(std::uint32_t base, std::uint32_t clock_rate) : base_(base), clock_rate_(clock_rate) {}

  [[nodiscard]] std::uint32_t At(TimeUs time_us) const {
    const auto time = static_cast<std::uint64_t>(time_us < 0 ? 0 : time_us);
    const auto second = static_cast<std::uint64_t>(kSecond);
    return base_ + static_cast<std::uint32_t>(time / second * clock_rate_ + time % second * clock_rate_ / second);
  }
  [[nodiscard]] std::uint32_t clock_rate() const { return clock_rate_; }

 private:
  std::uint32_t base_;
  std::uint32_t clock_rate_;
};

}  // namespace tertulia
