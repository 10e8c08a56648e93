// Records when each packet of a publisher's transport arrived, and says so every 50 ms as transport-wide feedback. The
// publisher's bandwidth estimate feeds on it: without it Chromium stays at 300 kbit/s, and when it was negotiated and
// never comes, the estimate collapses.
#pragma once

#include <array>
#include <cstdint>

#include "recv/sequence.hpp"
#include "tertulia/types.hpp"
#include "time.hpp"
#include "wire/bytes.hpp"

namespace tertulia {

class TwccRecorder {
 public:
  static constexpr TimeUs kIntervalUs = 50 * kMillisecond;

  TwccRecorder() { arrivals_.fill(kNone); }

  void Record(std::uint16_t sequence, std::uint32_t media_ssrc, TimeUs now);
  // When feedback should be sent; kNever if nothing new arrived.
  [[nodiscard]] TimeUs due_us() const { return due_us_; }
  // Writes one feedback message into `out`; 0 if there is nothing more to say. Call until it gives 0.
  [[nodiscard]] std::size_t Write(MutableBytes out, std::uint32_t sender_ssrc);

 private:
  static constexpr std::int64_t kWindow = 1'024;
  static constexpr TimeUs kNone = -1;

  [[nodiscard]] TimeUs& At(std::int64_t sequence) {
    return arrivals_[static_cast<std::uint64_t>(sequence) % static_cast<std::uint64_t>(kWindow)];
  }

  Unwrapper<16> unwrapper_;
  std::array<TimeUs, kWindow> arrivals_{};
  std::int64_t base_ = 0;  // the first that was not reported
  std::int64_t end_ = 0;   // one after the newest; base_ == end_: nothing to report
  bool started_ = false;
  std::uint32_t media_ssrc_ = 0;
  std::uint8_t feedback_count_ = 0;
  TimeUs due_us_ = kNever;
};

}  // namespace tertulia
