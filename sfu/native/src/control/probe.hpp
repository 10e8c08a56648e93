// Finds out whether more would pass than is sent: for some tens of milliseconds everything that leaves, topped up with
// packets that nobody misses, leaves at the rate in question, and what arrives is measured. Probes are sent when
// somebody could use more: at the start one after the other, each twice as fast, then rarely while they fail.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "time.hpp"

namespace tertulia {

class Prober {
 public:
  // Begins a probe if one is due. `wanted_bps`: what could be used in all; `congested`: no time for experiments.
  void Consider(std::uint64_t estimate_bps, std::uint64_t wanted_bps, bool congested, TimeUs now);
  // When Consider may begin one, or when DueBytes has something; kNever if nothing is known to be wanted.
  [[nodiscard]] TimeUs due_us() const { return active_ ? next_burst_us_ : waiting_ || wanting_ ? next_us_ : kNever; }

  // How much is missing from the rate that is probed, now. Whoever cannot send it calls Abandon.
  [[nodiscard]] std::size_t DueBytes(TimeUs now);
  void Abandon(TimeUs now);
  // Every packet that leaves, of whatever kind. Returns the number of the probe it is part of; 0: none.
  std::uint8_t OnSent(std::size_t bytes) {
    if (!active_) {
      return 0;
    }
    sent_bytes_ += bytes;
    ++sent_packets_;
    return cluster_;
  }
  [[nodiscard]] bool active() const { return active_; }

  struct Result {
    std::uint64_t received_bps = 0;
    bool limited = false;  // sent faster than it arrived
  };
  // Feedback of a packet that left with this number. No arrival: lost.
  void OnFeedback(std::uint8_t cluster, TimeUs sent_us, std::optional<TimeUs> arrival_us, std::size_t bytes);
  // After each feedback message: the outcome of a probe that is over, once.
  std::optional<Result> Take(TimeUs now);

  [[nodiscard]] std::uint64_t sent() const { return probes_; }

 private:
  static constexpr TimeUs kLengthUs = 30 * kMillisecond;
  static constexpr TimeUs kBurstUs = 5 * kMillisecond;
  static constexpr TimeUs kLongestUs = 150 * kMillisecond;
  static constexpr std::uint64_t kLeastBytes = 4'800;
  static constexpr TimeUs kAnswerUs = kSecond;
  static constexpr TimeUs kFirstWaitUs = 4 * kSecond;
  static constexpr TimeUs kLongestWaitUs = 64 * kSecond;

  void Fail(TimeUs now);

  bool active_ = false;
  bool waiting_ = false;  // for its feedback
  bool wanting_ = false;  // there is reason for another
  bool started_ = false;  // at least one probe was answered
  std::uint8_t cluster_ = 0;
  std::uint64_t target_bps_ = 0;
  TimeUs begin_us_ = 0;
  TimeUs end_us_ = 0;
  TimeUs next_burst_us_ = 0;
  std::uint64_t sent_bytes_ = 0;
  std::uint32_t sent_packets_ = 0;
  TimeUs next_us_ = 0;
  TimeUs wait_us_ = kFirstWaitUs;
  std::uint64_t probes_ = 0;

  // What arrived of it.
  std::uint32_t told_ = 0;
  std::uint64_t received_bytes_ = 0;
  std::uint64_t first_bytes_ = 0;  // that arrived with the first
  TimeUs first_arrival_us_ = 0, last_arrival_us_ = 0;
  TimeUs first_sent_us_ = 0, last_sent_us_ = 0;
};

}  // namespace tertulia
