// How much a viewer's network carries, from transport-wide feedback: grows while no queue grows, gives way to what
// arrives when one does (draft-ietf-rmcat-gcc-02, section 5.5) or when more is lost than is usual. What nobody sends
// proves nothing: the estimate grows little beyond what arrives, and probes find out about the rest.
#pragma once

#include <cstdint>
#include <optional>

#include "control/delay_trend.hpp"
#include "control/loss_monitor.hpp"
#include "control/rate_window.hpp"
#include "time.hpp"

namespace tertulia {

// What feedback says of one packet.
struct PacketResult {
  TimeUs sent_us = 0;
  std::optional<TimeUs> arrival_us;  // on the receiver's clock; nothing: lost
  std::uint32_t size = 0;            // bytes
  std::uint8_t cluster = 0;          // the probe that it was sent in; 0: none
};

class BandwidthEstimator {
 public:
  static constexpr std::uint64_t kStartBps = 600'000;
  static constexpr std::uint64_t kMinBps = 40'000;
  static constexpr std::uint64_t kMaxBps = 30'000'000;

  // Without probes the media itself has to find out what is possible.
  explicit BandwidthEstimator(bool probing) : probing_(probing) {}
  void set_probing(bool probing) { probing_ = probing; }

  // One feedback message: its packets in order of sending, then Conclude.
  void OnPacket(const PacketResult& packet);
  void Conclude(TimeUs now);
  // A probe was received at this rate; `limited`: it was sent faster than that.
  void OnProbe(std::uint64_t received_bps, bool limited, TimeUs now);
  // Packets are sent and nothing was heard for long; at most once a second.
  void OnSilence();

  [[nodiscard]] std::uint64_t estimate_bps() const { return estimate_bps_; }
  [[nodiscard]] std::uint64_t arriving_bps() const { return arriving_.Rate(); }
  [[nodiscard]] double loss() const { return loss_.fraction(); }
  [[nodiscard]] TimeUs round_trip_us() const { return round_trip_us_; }
  // A queue grows or packets are lost: no time for probes.
  [[nodiscard]] bool congested() const {
    return trend_.usage() == DelayTrend::Usage::kOver || trend_.queue_us() > kQueueUs || loss_.raised();
  }

 private:
  static constexpr TimeUs kQueueUs = 150 * kMillisecond;
  static constexpr TimeUs kAfterProbeUs = 100 * kMillisecond;

  [[nodiscard]] bool SendsLittle() const;
  [[nodiscard]] bool MeetsBottleneck() const;
  [[nodiscard]] TimeUs Response() const;
  void GiveWay(TimeUs now);
  void Grow(TimeUs now);
  void NoteCapacity(std::uint64_t bps, TimeUs now);
  void Set(std::uint64_t bps);

  bool probing_;
  std::uint64_t estimate_bps_ = kStartBps;
  DelayTrend trend_;
  LossMonitor loss_;
  RateWindow arriving_;
  RateWindow sending_;
  TimeUs newest_sent_us_ = 0;
  TimeUs probe_sent_us_ = -kSecond;  // the last packet of a probe left then
  TimeUs round_trip_us_ = 0;         // with the time that feedback waited
  TimeUs grown_us_ = 0;
  TimeUs gave_way_us_ = -kSecond;
  TimeUs over_since_us_ = kNever;
  std::uint64_t capacity_bps_ = 0;  // where queues began to grow; 0: not met yet
  TimeUs capacity_us_ = 0;
};

}  // namespace tertulia
