#include "control/bandwidth.hpp"

#include <algorithm>
#include <cmath>

namespace tertulia {
namespace {

constexpr double kGiveWay = 0.85;          // of what arrives
constexpr double kGiveWayUnproven = 0.75;  // of the estimate, when little was sent and the queue may be another's
constexpr double kGrowthPerSecond = 1.08;
constexpr double kGrowthWithoutProbes = 1.20;
constexpr double kGrowthNearCapacity = 1.03;
constexpr double kOverflow = 0.2;    // of the packets lost
constexpr double kBottleneck = 0.8;  // of what is sent arrives, or less
constexpr double kHeadroom = 1.2;    // of the estimate over what arrives
constexpr double kHeadroomWithoutProbes = 3.0;
constexpr std::uint64_t kHeadroomBps = 20'000;
constexpr double kNearCapacity = 0.85;
constexpr double kBeyondCapacity = 1.2;
constexpr double kPacketBits = 1'200 * 8;
constexpr TimeUs kFeedbackUs = 100 * kMillisecond;
constexpr TimeUs kBurstUs = 250 * kMillisecond;
constexpr TimeUs kRememberUs = 30 * kSecond;
constexpr TimeUs kLongestStepUs = 500 * kMillisecond;

std::uint64_t Scale(std::uint64_t bps, double factor) {
  return static_cast<std::uint64_t>(static_cast<double>(bps) * factor);
}

}  // namespace

void BandwidthEstimator::OnPacket(const PacketResult& packet) {
  newest_sent_us_ = std::max(newest_sent_us_, packet.sent_us);
  sending_.Add(packet.sent_us, packet.size);
  // What was sent before the last decision says nothing about it.
  if (packet.sent_us > gave_way_us_) {
    loss_.OnPacket(!packet.arrival_us.has_value());
  }
  if (packet.cluster != 0) {
    probe_sent_us_ = packet.sent_us;
  }
  if (!packet.arrival_us) {
    return;
  }
  arriving_.Add(*packet.arrival_us, packet.size);
  // A probe makes a queue of its own, which drains behind it; that says nothing about what is sent otherwise.
  if (packet.sent_us - probe_sent_us_ < kAfterProbeUs) {
    trend_.Restart();
  } else {
    trend_.OnPacket(packet.sent_us, *packet.arrival_us);
  }
}

void BandwidthEstimator::Conclude(TimeUs now) {
  if (newest_sent_us_ != 0) {
    const TimeUs sample = std::max<TimeUs>(0, now - newest_sent_us_);
    round_trip_us_ = round_trip_us_ == 0 ? sample : round_trip_us_ + (sample - round_trip_us_) / 8;
  }
  const bool verdict = loss_.Update(now);
  if (verdict && loss_.heavy()) {
    const bool bottleneck = MeetsBottleneck() && loss_.fraction() > kOverflow;
    const std::uint64_t arriving = arriving_.Rate(RateWindow::kShort);
    const std::uint64_t less = Scale(estimate_bps_, 1 - loss_.fraction() / 2);
    if (bottleneck) {
      NoteCapacity(arriving, now);
    }
    // A queue that overflows shows what the bottleneck lets through.
    Set(std::min(estimate_bps_, bottleneck ? Scale(arriving, kGiveWay) : std::max(less, Scale(arriving, kGiveWay))));
    gave_way_us_ = grown_us_ = now;
  }
  over_since_us_ = trend_.usage() == DelayTrend::Usage::kOver ? std::min(over_since_us_, now) : kNever;
  switch (trend_.usage()) {
    case DelayTrend::Usage::kOver:
      GiveWay(now);
      break;
    case DelayTrend::Usage::kUnder:
      grown_us_ = now;  // a queue drains: let it
      break;
    case DelayTrend::Usage::kNormal:
      Grow(now);
      break;
  }
}

bool BandwidthEstimator::SendsLittle() const { return sending_.Rate() < Scale(estimate_bps_, 0.7); }

// How long a decision takes to show in the feedback.
TimeUs BandwidthEstimator::Response() const { return round_trip_us_ + kFeedbackUs; }

// Clearly less arrives than is sent: what arrives is what the way carries.
bool BandwidthEstimator::MeetsBottleneck() const {
  const std::uint64_t arriving = arriving_.Rate(RateWindow::kShort);
  return arriving != 0 && arriving < Scale(sending_.Rate(RateWindow::kShort), kBottleneck);
}

void BandwidthEstimator::GiveWay(TimeUs now) {
  grown_us_ = now;
  const bool bottleneck = MeetsBottleneck();
  // A key frame makes a queue that is gone in a moment.
  if (now - gave_way_us_ < Response() || (!bottleneck && now - over_since_us_ < kBurstUs)) {
    return;
  }
  gave_way_us_ = now;
  const std::uint64_t arriving = arriving_.Rate(RateWindow::kShort);
  std::uint64_t less = Scale(arriving == 0 ? estimate_bps_ : arriving, kGiveWay);
  if (!bottleneck && SendsLittle()) {
    less = std::max(less, Scale(estimate_bps_, kGiveWayUnproven));
  } else if (arriving != 0) {
    NoteCapacity(arriving, now);
  }
  Set(std::min(estimate_bps_, less));
}

void BandwidthEstimator::Grow(TimeUs now) {
  const TimeUs elapsed = std::min(now - grown_us_, kLongestStepUs);
  grown_us_ = now;
  const std::uint64_t arriving = arriving_.Rate();
  if (!probing_ && capacity_bps_ != 0 && now - capacity_us_ > kRememberUs) {
    capacity_bps_ = 0;  // without probes, trying is the only way to know
  }
  const double headroom = probing_ || capacity_bps_ != 0 ? kHeadroom : kHeadroomWithoutProbes;
  const std::uint64_t ceiling = Scale(arriving, headroom) + kHeadroomBps;
  if (arriving == 0 || loss_.raised() || estimate_bps_ >= ceiling || now - gave_way_us_ < Response()) {
    return;
  }
  if (capacity_bps_ != 0 && estimate_bps_ > Scale(capacity_bps_, kBeyondCapacity)) {
    capacity_bps_ = 0;  // it is more than it was
  }
  const double seconds = static_cast<double>(elapsed) / kSecond;
  std::uint64_t grown = 0;
  if (capacity_bps_ != 0 && estimate_bps_ > Scale(capacity_bps_, kNearCapacity)) {
    // Near where queues began: about half a packet a response time (section 5.5).
    const double responses = seconds * kSecond / static_cast<double>(std::max(Response(), 2 * kFeedbackUs));
    grown = std::max(estimate_bps_ + static_cast<std::uint64_t>(kPacketBits / 2 * responses),
                     Scale(estimate_bps_, std::pow(kGrowthNearCapacity, seconds)));
  } else {
    grown = Scale(estimate_bps_, std::pow(probing_ ? kGrowthPerSecond : kGrowthWithoutProbes, seconds));
  }
  Set(std::min(grown, ceiling));
}

void BandwidthEstimator::OnProbe(std::uint64_t received_bps, bool limited, TimeUs now) {
  if (limited) {
    NoteCapacity(received_bps, now);
    // Never below what arrives anyway: a probe is short, and shares its way.
    const std::uint64_t possible = std::max(Scale(received_bps, 0.95), Scale(arriving_.Rate(), kGiveWay));
    if (possible < estimate_bps_) {
      Set(possible);
      return;
    }
    received_bps = Scale(received_bps, 0.95);
  } else if (received_bps > capacity_bps_) {
    capacity_bps_ = 0;
  }
  if (received_bps > estimate_bps_) {
    Set(received_bps);
    grown_us_ = now;
  }
}

void BandwidthEstimator::OnSilence() { Set(Scale(estimate_bps_, 0.7)); }

void BandwidthEstimator::NoteCapacity(std::uint64_t bps, TimeUs now) {
  capacity_us_ = now;
  capacity_bps_ = capacity_bps_ == 0 ? bps : (2 * capacity_bps_ + bps) / 3;
}

void BandwidthEstimator::Set(std::uint64_t bps) { estimate_bps_ = std::clamp(bps, kMinBps, kMaxBps); }

}  // namespace tertulia
