// The one place that asks a publisher's source for key frames. Encoders drop a second request within 300 ms without a
// word, so requests of all slots and viewers are merged: the first goes out at once, then one every 320 ms until a key
// frame came. A source that does not answer is asked more rarely.
#pragma once

#include <algorithm>
#include <bit>
#include <cstdint>
#include <optional>

#include "time.hpp"

namespace tertulia {

class KeyframeGate {
 public:
  static constexpr TimeUs kIntervalUs = 320 * kMillisecond;
  static constexpr TimeUs kPatientIntervalUs = 1'500 * kMillisecond;
  static constexpr unsigned kEagerTries = 8;

  // Somebody needs a key frame of this layer (0 to 31) that begins from now on.
  void Request(unsigned layer) {
    tries_ = 0;
    pending_ |= std::uint32_t{1} << layer;
  }
  // A key frame of the layer began, or nobody needs it any more.
  void Satisfy(unsigned layer) { pending_ &= ~(std::uint32_t{1} << layer); }

  // The layer to send a request for, if one is due now; it counts as sent.
  std::optional<unsigned> Poll(TimeUs now) {
    if (now < due_us()) {
      return std::nullopt;
    }
    sent_us_ = now;
    ++tries_;
    ++sent_;
    return static_cast<unsigned>(std::bit_width(pending_)) - 1;
  }

  // When Poll has something; kNever if nothing is asked for. In the past: at once.
  [[nodiscard]] TimeUs due_us() const {
    if (pending_ == 0) {
      return kNever;
    }
    if (sent_us_ == kNever) {
      return 0;
    }
    return sent_us_ + (tries_ < kEagerTries ? kIntervalUs : kPatientIntervalUs);
  }

  [[nodiscard]] bool pending(unsigned layer) const { return (pending_ >> layer & 1) != 0; }
  [[nodiscard]] std::uint64_t sent() const { return sent_; }

 private:
  std::uint32_t pending_ = 0;  // a bit a layer
  unsigned tries_ = 0;
  TimeUs sent_us_ = kNever;
  std::uint64_t sent_ = 0;
};

}  // namespace tertulia
