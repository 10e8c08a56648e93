// Is a queue growing on the way to a receiver? The delay-based half of draft-ietf-rmcat-gcc-02 (sections 5.2 to 5.4):
// the trend of the one-way delay against a threshold that adapts to what is usual on this path. Frames leave here in
// bursts, which queue behind themselves; so a sample is the least delay in some 30 ms: what a packet met that came
// first.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "time.hpp"

namespace tertulia {

class DelayTrend {
 public:
  enum class Usage : std::uint8_t { kNormal, kOver, kUnder };

  // In order of sending. The clocks of both ends may differ by any constant.
  void OnPacket(TimeUs sent_us, TimeUs arrival_us);
  // What comes next has nothing to do with what was before (a pause, a probe).
  void Restart();

  [[nodiscard]] Usage usage() const { return usage_; }
  // How much longer the way is than it has been at best in the last ten seconds or so.
  [[nodiscard]] TimeUs queue_us() const { return started_ ? delay_us_ - least_us_ : 0; }

 private:
  static constexpr TimeUs kWindowUs = 30 * kMillisecond;
  static constexpr TimeUs kPauseUs = 1'000 * kMillisecond;
  static constexpr TimeUs kForgetUs = 5 * kSecond;
  static constexpr std::size_t kSamples = 14;
  static constexpr std::size_t kFewest = 4;

  struct Sample {
    double at_ms = 0;
    double delay_ms = 0;
  };

  struct Growth {
    double ms = 0;
    double error_ms = 0;
  };

  void CloseWindow();
  void NoteLeast(TimeUs at_us);
  [[nodiscard]] Growth Fit() const;
  void Judge(const Growth& growth, double at_ms);

  bool started_ = false;
  TimeUs window_start_us_ = 0;
  TimeUs window_delay_us_ = 0;
  TimeUs window_at_us_ = 0;
  TimeUs delay_us_ = 0;  // of the last sample

  // The least of two halves of the memory: the older goes when the younger is full.
  TimeUs least_us_ = 0;
  TimeUs next_least_us_ = 0;
  TimeUs least_since_us_ = 0;

  std::array<Sample, kSamples> samples_{};
  std::size_t count_ = 0;  // ever since Restart
  double origin_ms_ = 0;
  double first_ms_ = 0;
  double threshold_ms_ = 12.5;
  double judged_ms_ = 0;
  double growth_before_ms_ = 0;
  unsigned above_ = 0;
  Usage usage_ = Usage::kNormal;
};

}  // namespace tertulia
