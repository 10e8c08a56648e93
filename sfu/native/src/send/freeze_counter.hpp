// Freezes of a slot as far as they can be known on this side of the viewer's network: nothing was forwarded although
// its source went on sending (a key frame was waited for), or a packet was lost for good on the way to us, which stops
// the decoder until the next key frame. What is left out on purpose, and what a source does not send, is no freeze.
#pragma once

#include <cstdint>

#include "time.hpp"

namespace tertulia {

class FreezeCounter {
 public:
  // A shorter gap is not seen (webrtc-stats, freezeCount).
  static constexpr TimeUs kMinUs = 150 * kMillisecond;

  // A packet of the picture is forwarded.
  void OnPacket(TimeUs now, bool key_frame) {
    last_us_ = now;
    if (key_frame && stuck_since_us_ != kNever) {
      duration_us_ += now - stuck_since_us_;
      stuck_since_us_ = kNever;
    }
  }
  // The picture begins anew, with the packet that is forwarded next.
  void OnOpen(TimeUs now) {
    if (last_us_ != kNever && now - last_us_ > kMinUs) {
      ++count_;
      duration_us_ += now - last_us_;
    }
  }
  // Packets of what is shown are lost for good.
  void OnLoss(TimeUs now) {
    if (stuck_since_us_ == kNever) {
      ++count_;
      stuck_since_us_ = now;
    }
  }
  // Another source, a pause, a silence: what comes next continues nothing.
  void Break() { last_us_ = stuck_since_us_ = kNever; }

  [[nodiscard]] std::uint64_t count() const { return count_; }
  [[nodiscard]] TimeUs duration_us() const { return duration_us_; }

 private:
  TimeUs last_us_ = kNever;
  TimeUs stuck_since_us_ = kNever;
  std::uint64_t count_ = 0;
  TimeUs duration_us_ = 0;
};

}  // namespace tertulia
