// What a viewer's transport-wide feedback is made into: a number for every packet that leaves, an estimate of what its
// network carries, and probes for what it may carry beyond. Sans-I/O; the router sends what is asked for here.
#pragma once

#include <cstdint>

#include "control/bandwidth.hpp"
#include "control/probe.hpp"
#include "recv/sequence.hpp"
#include "send/twcc_history.hpp"
#include "token_bucket.hpp"
#include "wire/twcc.hpp"

namespace tertulia {

class Congestion {
 public:
  // Probes need a stream of their own (RTX), since padding on a media stream disturbs its continuity.
  explicit Congestion(bool probing) : estimator_(probing), probing_(probing) {}
  void EnableProbes() {
    probing_ = true;
    estimator_.set_probing(true);
  }

  // A packet of this size leaves: its number.
  std::uint16_t OnSent(std::size_t bytes, TimeUs now) {
    first_sent_us_ = first_sent_us_ == kNever ? now : first_sent_us_;
    last_sent_us_ = now;
    return history_.Add(now, bytes, prober_.OnSent(bytes));
  }
  void OnFeedback(twcc::Reader& reader, TimeUs now);
  // Does what is due.
  void Advance(TimeUs now);
  [[nodiscard]] TimeUs due_us() const;

  // What could be used in all; begins a probe when that is more than the estimate.
  void Want(std::uint64_t bps, TimeUs now);
  [[nodiscard]] Prober& prober() { return prober_; }
  [[nodiscard]] const Prober& prober() const { return prober_; }

  // False for a viewer that negotiated feedback and gives none.
  [[nodiscard]] bool known() const { return !deaf_; }
  [[nodiscard]] const BandwidthEstimator& estimator() const { return estimator_; }

 private:
  // A client that reports every 50 ms needs a tenth of this; a report may name thousands of packets, which takes time.
  static constexpr double kReportsPerSecond = 200;
  static constexpr TimeUs kDeafUs = 2 * kSecond;
  static constexpr TimeUs kSilenceUs = 1'500 * kMillisecond;

  TwccHistory history_;
  BandwidthEstimator estimator_;
  Prober prober_;
  Unwrapper<24> reference_;
  TokenBucket reports_{kReportsPerSecond, kReportsPerSecond, 0};
  TimeUs first_sent_us_ = kNever;
  TimeUs last_sent_us_ = 0;
  TimeUs heard_us_ = kNever;  // the last feedback, or the last time that silence was counted
  bool probing_;
  bool deaf_ = false;
};

}  // namespace tertulia
