// How long a publisher takes to send again what it was asked for: the round trip and whatever its pacer adds, which is
// what a repeated request must wait for. Measured from first requests alone, since the answer to a repeated one does
// not say which it answers (Karn), and smoothed as RFC 6298 has it. Publishers need no report blocks or extended
// reports for it, which browsers do not answer alike.
#pragma once

#include <algorithm>
#include <cstdlib>

#include "time.hpp"

namespace tertulia {

class ResponseTime {
 public:
  static constexpr TimeUs kUnknownUs = 100 * kMillisecond;
  static constexpr TimeUs kMinUs = 20 * kMillisecond;
  static constexpr TimeUs kMaxUs = 500 * kMillisecond;

  void Sample(TimeUs response_us) {
    const TimeUs sample = std::clamp<TimeUs>(response_us, 0, kMaxUs);
    if (smoothed_us_ < 0) {
      smoothed_us_ = sample;
      variation_us_ = sample / 4;
      return;
    }
    variation_us_ += (std::abs(sample - smoothed_us_) - variation_us_) / 4;
    smoothed_us_ += (sample - smoothed_us_) / 8;
  }

  [[nodiscard]] bool known() const { return smoothed_us_ >= 0; }
  [[nodiscard]] TimeUs smoothed_us() const { return known() ? smoothed_us_ : kUnknownUs; }
  // When it has not come by then, it is not coming.
  [[nodiscard]] TimeUs retry_us() const {
    return known() ? std::clamp(smoothed_us_ + 4 * variation_us_, kMinUs, kMaxUs) : kUnknownUs;
  }

 private:
  TimeUs smoothed_us_ = -1;
  TimeUs variation_us_ = 0;
};

}  // namespace tertulia
