#include "send/congestion.hpp"

#include <algorithm>

namespace tertulia {

void Congestion::OnFeedback(twcc::Reader& reader, TimeUs now) {
  if (!reports_.Take(now)) {
    return;
  }
  // Arrival times count from a reference of 24 bits in steps of 64 ms, which wraps after twelve days.
  const TimeUs wrapped = static_cast<TimeUs>(reader.reference_time()) * twcc::kReferenceUs;
  const TimeUs reference = reference_.Unwrap(reader.reference_time()) * twcc::kReferenceUs;
  bool news = false;
  twcc::Status status;
  while (reader.Next(status)) {
    const auto sent = history_.Take(status.sequence);
    if (!sent) {
      continue;
    }
    news = true;
    PacketResult packet{sent->at_us, std::nullopt, sent->size, sent->cluster};
    if (status.received) {
      packet.arrival_us = status.arrival_us - wrapped + reference;
    }
    prober_.OnFeedback(sent->cluster, packet.sent_us, packet.arrival_us, packet.size);
    estimator_.OnPacket(packet);
  }
  if (!news) {
    return;
  }
  heard_us_ = now;
  deaf_ = false;
  estimator_.Conclude(now);
  if (const auto result = prober_.Take(now)) {
    estimator_.OnProbe(result->received_bps, result->limited, now);
  }
}

void Congestion::Advance(TimeUs now) {
  if (const auto result = prober_.Take(now)) {
    estimator_.OnProbe(result->received_bps, result->limited, now);
  }
  if (heard_us_ == kNever) {
    deaf_ = deaf_ || (first_sent_us_ != kNever && now - first_sent_us_ >= kDeafUs);
  } else if (now - heard_us_ >= kSilenceUs) {
    if (last_sent_us_ > heard_us_) {
      estimator_.OnSilence();
    }
    heard_us_ = now - kSilenceUs + kSecond;
  }
}

TimeUs Congestion::due_us() const {
  TimeUs due = prober_.due_us();
  if (heard_us_ == kNever && !deaf_ && first_sent_us_ != kNever) {
    due = std::min(due, first_sent_us_ + kDeafUs);
  } else if (heard_us_ != kNever && last_sent_us_ > heard_us_) {
    due = std::min(due, heard_us_ + kSilenceUs);
  }
  return due;
}

void Congestion::Want(std::uint64_t bps, TimeUs now) {
  if (!probing_) {
    return;
  }
  prober_.Consider(estimator_.estimate_bps(), bps, estimator_.congested(), now);
}

}  // namespace tertulia
