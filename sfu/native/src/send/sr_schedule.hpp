// When a slot's sender reports are due: two, 60 ms apart, whenever somebody new is shown, because a browser
// synchronises lips only after two; then one a second while packets flow. What a report says is the slot's line, which
// does not depend on who is shown.
#pragma once

#include <cstdint>

#include "time.hpp"

namespace tertulia {

class SrSchedule {
 public:
  static constexpr TimeUs kPairUs = 60 * kMillisecond;
  static constexpr TimeUs kIntervalUs = kSecond;

  void OnOccupied(TimeUs now) {
    second_due_ = true;
    due_us_ = now;
  }
  // A packet was sent. True if this starts the clock.
  bool OnPacket(TimeUs now) {
    sent_since_ = true;
    if (due_us_ != kNever) {
      return false;
    }
    due_us_ = now + kIntervalUs;
    return true;
  }
  // A report is being written.
  void OnReport(TimeUs now) {
    if (second_due_) {
      second_due_ = false;
      due_us_ = now + kPairUs;
    } else {
      due_us_ = sent_since_ ? now + kIntervalUs : kNever;
    }
    sent_since_ = false;
  }
  [[nodiscard]] TimeUs due_us() const { return due_us_; }
  // The next report is the second of a pair: its distance matters.
  [[nodiscard]] bool paired() const { return second_due_; }

 private:
  bool second_due_ = false;
  bool sent_since_ = false;
  TimeUs due_us_ = kNever;
};

}  // namespace tertulia
