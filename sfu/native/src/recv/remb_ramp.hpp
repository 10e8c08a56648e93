// The bit rate that a publisher without transport-wide feedback may use, told by REMB: a ramp that starts generously,
// rises while nothing is lost and gives way when much is (the loss-based half of draft-ietf-rmcat-gcc, section 6).
#pragma once

#include <algorithm>
#include <cstdint>

#include "time.hpp"

namespace tertulia {

class RembRamp {
 public:
  static constexpr TimeUs kIntervalUs = 500 * kMillisecond;

  // Once an interval, with the worst fraction lost (of 256) of the streams that arrived in it.
  std::uint64_t Update(std::uint8_t fraction_lost) {
    if (fraction_lost > 25) {  // 10 %
      bitrate_bps_ -= bitrate_bps_ * fraction_lost / 512;
    } else if (fraction_lost < 6) {  // 2 %
      bitrate_bps_ += bitrate_bps_ / 4;
    }
    bitrate_bps_ = std::clamp(bitrate_bps_, kMinBps, kMaxBps);
    return bitrate_bps_;
  }

 private:
  static constexpr std::uint64_t kMinBps = 150'000;
  static constexpr std::uint64_t kMaxBps = 8'000'000;
  std::uint64_t bitrate_bps_ = 2'000'000;
};

}  // namespace tertulia
