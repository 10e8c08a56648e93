#include "stream_meter.hpp"

#include <algorithm>
#include <cmath>

#include "pattern.hpp"

namespace tertulia::load {

namespace {

constexpr std::uint64_t kVerifyOneIn = 64;

}  // namespace

bool StreamMeter::Count(const PacketFields& fields, std::size_t bytes, std::int64_t now_ns) {
  if (!started_) {
    started_ = true;
    first_ = highest_ = fields.sequence;
    window_base_ = first_ - 1;
  }
  const std::int64_t sequence =
      highest_ + static_cast<std::int16_t>(fields.sequence - static_cast<std::uint16_t>(highest_));
  highest_ = std::max(highest_, sequence);
  ++received_;
  ++counts_.packets;
  counts_.bytes += bytes;
  UpdateJitter(fields, now_ns);
  if (source_ == nullptr || fields.csrc != csrc_) {
    source_ = nullptr;
    return true;
  }
  if (sequence >= offset_) {
    const std::int64_t sent = source_->SentAt(static_cast<std::uint64_t>(sequence - offset_));
    if (sent != 0) truth_.delay.Add(now_ns - sent);
  }
  return received_ % kVerifyOneIn == 0;
}

void StreamMeter::Verify(const PacketFields& fields, Bytes payload) {
  const bool video = kind_ == Kind::kVideo;
  const std::size_t lead =
      video ? SyntheticSource::kVp8Descriptor + SyntheticSource::kVp8FrameHeader : SyntheticSource::kOpusToc;
  const std::optional<Stamp> stamp = payload.size() > lead ? CheckBody(payload.subspan(lead)) : std::nullopt;
  if (!stamp.has_value() || stamp->sender >= truth_.sources.size() || fields.csrc == 0) {
    ++counts_.mismatched;
    return;
  }
  const SyntheticSource* source = truth_.sources[stamp->sender];
  const auto [known, is_new] = truth_.csrc_of_sender.try_emplace(stamp->sender, fields.csrc);
  const bool right_name = is_new || known->second == fields.csrc;
  if (source->options().kind != kind_ || source->SentAt(stamp->counter) == 0 || !right_name) {
    ++counts_.mismatched;
    return;
  }
  const std::int64_t sequence =
      highest_ + static_cast<std::int16_t>(fields.sequence - static_cast<std::uint16_t>(highest_));
  const std::int64_t offset = sequence - static_cast<std::int64_t>(stamp->counter);
  if (source_ == source && offset < offset_) hidden_ += offset_ - offset;
  source_ = source;
  csrc_ = fields.csrc;
  offset_ = offset;
  ++counts_.verified;
}

void StreamMeter::Reset() {
  counts_ = {};
  hidden_ = 0;
  window_base_ = highest_;
}

StreamCounts StreamMeter::Counts() const {
  StreamCounts counts = counts_;
  const std::int64_t missing =
      (started_ ? highest_ - window_base_ : 0) - static_cast<std::int64_t>(counts.packets) + hidden_;
  counts.lost = static_cast<std::uint64_t>(std::max<std::int64_t>(missing, 0));
  return counts;
}

Reception StreamMeter::Report() {
  const std::int64_t expected = highest_ - first_ + 1;
  const std::int64_t expected_now = expected - reported_expected_;
  const std::int64_t received_now = static_cast<std::int64_t>(received_ - reported_received_);
  const std::int64_t lost_now = expected_now - received_now;
  reported_expected_ = expected;
  reported_received_ = received_;
  Reception reception;
  if (lost_now > 0 && expected_now > 0) {
    reception.fraction_lost = static_cast<std::uint8_t>(std::min<std::int64_t>(lost_now * 256 / expected_now, 255));
  }
  reception.cumulative_lost = static_cast<std::int32_t>(expected - static_cast<std::int64_t>(received_));
  reception.highest_sequence = static_cast<std::uint32_t>(highest_);
  reception.jitter = static_cast<std::uint32_t>(jitter_);
  return reception;
}

// RFC 3550, 6.4.1 and A.8.
void StreamMeter::UpdateJitter(const PacketFields& fields, std::int64_t now_ns) {
  const std::int64_t rate_khz = kind_ == Kind::kVideo ? 90 : 48;
  const std::int64_t arrival = now_ns / 1000 * rate_khz / 1000;
  const std::int64_t transit = static_cast<std::int32_t>(static_cast<std::uint32_t>(arrival) - fields.timestamp);
  const std::int64_t change = static_cast<std::int32_t>(transit - last_transit_);
  last_transit_ = transit;
  if (received_ > 1) jitter_ += (std::abs(static_cast<double>(change)) - jitter_) / 16;
}

}  // namespace tertulia::load
