// Does loss say that too much is sent? Radio links lose packets at any rate; a full queue loses more the more is sent.
// So loss is compared with what has been usual on this path: only what exceeds it counts.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>

#include "time.hpp"

namespace tertulia {

class LossMonitor {
 public:
  void OnPacket(bool lost) {
    ++packets_;
    lost_ += lost ? 1 : 0;
  }

  // Closes the window if it is long enough. True: there is a new verdict.
  bool Update(TimeUs now) {
    if (since_us_ == 0) {
      since_us_ = now;
    }
    const TimeUs elapsed = now - since_us_;
    // Soon when it is bad: a queue that overflows shall not do so for long.
    const bool bad = packets_ >= kSomePackets && lost_ * 4 > packets_ && elapsed >= kWindowUs / 4;
    if (!bad && (packets_ < kEnoughPackets || elapsed < kWindowUs)) {
      return false;
    }
    fraction_ = static_cast<double>(lost_) / static_cast<double>(packets_);
    excess_ = fraction_ - usual_;
    deviation_ = std::sqrt(usual_ * (1 - usual_) / static_cast<double>(packets_));
    usual_ += (fraction_ > usual_ ? kUsualRise : kUsualFall) * (fraction_ - usual_);
    packets_ = lost_ = 0;
    since_us_ = now;
    return true;
  }

  [[nodiscard]] double fraction() const { return fraction_; }
  // Reason to send less.
  [[nodiscard]] bool heavy() const { return fraction_ > 0.10 && excess_ > std::max(0.05, 3 * deviation_); }
  // Reason not to send more.
  [[nodiscard]] bool raised() const { return fraction_ > 0.02 && excess_ > std::max(0.03, 1.5 * deviation_); }

 private:
  static constexpr TimeUs kWindowUs = 600 * kMillisecond;
  static constexpr std::uint32_t kSomePackets = 24;
  static constexpr std::uint32_t kEnoughPackets = 40;
  static constexpr double kUsualRise = 0.1;
  static constexpr double kUsualFall = 0.3;

  std::uint32_t packets_ = 0;
  std::uint32_t lost_ = 0;
  TimeUs since_us_ = 0;
  double fraction_ = 0;
  double excess_ = 0;
  double usual_ = 0;
  double deviation_ = 0;  // of what chance alone makes of the usual
};

}  // namespace tertulia
