// A viewer's bandwidth where it reports no more than REMB (draft-alvestrand-rmcat-remb-03) and its losses. Receivers
// say little more than half as much again as what they get, so a sender that waited for the number it needs would wait
// for ever: while nothing speaks against it the estimate climbs beyond the report by itself.
#pragma once

#include <algorithm>
#include <cstdint>

#include "control/rate_window.hpp"
#include "time.hpp"

namespace tertulia {

class RembEstimate {
 public:
  static constexpr std::uint64_t kMinBps = 40'000;
  static constexpr std::uint64_t kMaxBps = 30'000'000;
  static constexpr std::uint64_t kFurthest = 3;  // times the report

  void OnSent(std::size_t bytes, TimeUs now) { sending_.Add(now, bytes); }
  void OnRemb(std::uint64_t reported_bps, TimeUs now) {
    const std::uint64_t sent_bps = sending_.Rate();
    reported_bps = std::clamp(reported_bps, kMinBps, kMaxBps);
    const TimeUs elapsed = known() ? std::min(now - at_us_, kSecond) : 0;
    at_us_ = now;
    const bool enough = reported_bps > sent_bps + sent_bps / 8 && fraction_lost_ < kSomeLoss;
    if (!known() || !enough) {
      estimate_bps_ = reported_bps;
    } else {
      // A sixth a second.
      const std::uint64_t climbed = estimate_bps_ + estimate_bps_ * static_cast<std::uint64_t>(elapsed) / (6 * kSecond);
      estimate_bps_ = std::clamp(climbed, reported_bps, std::min(kFurthest * reported_bps, kMaxBps));
    }
  }

  // Of 256, from a receiver report (RFC 3550, 6.4.1).
  void OnLoss(std::uint8_t fraction_lost) {
    fraction_lost_ = fraction_lost;
    if (known() && fraction_lost > kMuchLoss) {
      estimate_bps_ = std::max(kMinBps, estimate_bps_ - estimate_bps_ * fraction_lost / 512);
    }
  }

  [[nodiscard]] bool known() const { return at_us_ != kNever; }
  [[nodiscard]] std::uint64_t estimate_bps() const { return estimate_bps_; }

 private:
  static constexpr std::uint8_t kSomeLoss = 13;  // 5 %
  static constexpr std::uint8_t kMuchLoss = 25;  // 10 %

  RateWindow sending_;
  TimeUs at_us_ = kNever;
  std::uint64_t estimate_bps_ = 0;
  std::uint8_t fraction_lost_ = 0;
};

}  // namespace tertulia
