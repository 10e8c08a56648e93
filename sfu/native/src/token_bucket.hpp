// Limits a rate with room for bursts.
#pragma once

#include <algorithm>

#include "tertulia/types.hpp"

namespace tertulia {

class TokenBucket {
 public:
  TokenBucket(double per_second, double burst, TimeUs now)
      : per_second_(per_second), burst_(burst), tokens_(burst), last_us_(now) {}

  void SetRate(double per_second, double burst) {
    per_second_ = per_second;
    burst_ = burst;
  }

  [[nodiscard]] bool Take(TimeUs now, double tokens = 1.0) {
    tokens_ = std::min(burst_, tokens_ + per_second_ * static_cast<double>(now - last_us_) / 1e6);
    last_us_ = now;
    if (tokens_ < tokens) {
      return false;
    }
    tokens_ -= tokens;
    return true;
  }

 private:
  double per_second_;
  double burst_;
  double tokens_;
  TimeUs last_us_;
};

}  // namespace tertulia
