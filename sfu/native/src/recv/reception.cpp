#include "recv/reception.hpp"

#include <algorithm>

namespace tertulia {

Reception::Result Reception::Receive(std::uint16_t sequence, std::uint32_t timestamp, TimeUs now,
                                     std::uint32_t clock_rate, bool repaired) {
  Result result;
  const std::uint64_t counted = repaired ? 0 : 1;
  if (!started_) {
    if (repaired) {
      return result;  // of a stream that is not known yet
    }
    started_ = true;
    base_ = highest_ = sequence;
    result.verdict = Verdict::kRestarted;
    result.newest = true;
    result.new_timestamp = true;
  } else {
    const auto ahead = static_cast<std::uint16_t>(sequence - static_cast<std::uint16_t>(highest_));
    const std::int64_t late = 65'536 - ahead;
    if (ahead != 0 && ahead < kMaxJump) {
      result.in_order = ahead == 1;
      result.newest = true;
      result.new_timestamp = timestamp != highest_timestamp_;
      result.verdict = Verdict::kAccepted;
      MoveTo(highest_ + ahead);
    } else if (ahead == 0 || late < kWindow) {
      result.sequence = ahead == 0 ? highest_ : highest_ - late;
      if (Seen(result.sequence)) {
        return result;
      }
      MarkSeen(result.sequence);
      suspicious_ = false;
      received_ += counted;
      result.verdict = Verdict::kAccepted;
      return result;
    } else if (repaired) {
      return result;  // it says nothing about where the stream is
    } else if (suspicious_ && sequence == expected_next_) {
      // Two in a row: the sender has begun anew, as RFC 3550, A.1 has it.
      Restart(sequence);
      result.verdict = Verdict::kRestarted;
      result.newest = true;
      result.new_timestamp = true;
    } else {
      suspicious_ = true;
      expected_next_ = static_cast<std::uint16_t>(sequence + 1);
      return result;
    }
  }
  suspicious_ = false;
  result.sequence = highest_;
  highest_timestamp_ = timestamp;
  MarkSeen(highest_);
  received_ += counted;
  if (result.new_timestamp && !repaired) {
    UpdateJitter(timestamp, now, clock_rate);
  }
  return result;
}

void Reception::Restart(std::uint16_t sequence) {
  // The next turn: what follows stays above everything before.
  highest_ = base_ = ((highest_ >> 16) + 1) * 65'536 + sequence;
  seen_.fill(0);
  received_ = received_at_report_ = 0;
  expected_at_report_ = 0;
  jitter_16_ = 0;
  has_transit_ = false;
}

void Reception::MoveTo(std::int64_t sequence) {
  if (sequence - highest_ >= kWindow) {
    seen_.fill(0);
  } else {
    for (std::int64_t i = highest_ + 1; i < sequence; ++i) {
      const auto bit = static_cast<std::uint64_t>(i) % kWindow;
      seen_[bit / 64] &= ~(std::uint64_t{1} << (bit % 64));
    }
  }
  highest_ = sequence;
}

bool Reception::Seen(std::int64_t sequence) const {
  const auto bit = static_cast<std::uint64_t>(sequence) % kWindow;
  return (seen_[bit / 64] >> (bit % 64) & 1) != 0;
}

void Reception::MarkSeen(std::int64_t sequence) {
  const auto bit = static_cast<std::uint64_t>(sequence) % kWindow;
  seen_[bit / 64] |= std::uint64_t{1} << (bit % 64);
}

void Reception::UpdateJitter(std::uint32_t timestamp, TimeUs now, std::uint32_t clock_rate) {
  const auto arrival = static_cast<std::uint32_t>(now / 1'000 * clock_rate / 1'000);
  const std::uint32_t transit = arrival - timestamp;
  if (has_transit_) {
    const auto difference = static_cast<std::int32_t>(transit - last_transit_);
    const std::uint32_t size =
        difference < 0 ? 0U - static_cast<std::uint32_t>(difference) : static_cast<std::uint32_t>(difference);
    // A pause or a clock that was set is no jitter: a second at most counts.
    const std::uint32_t bounded = std::min(size, clock_rate);
    jitter_16_ += bounded - ((jitter_16_ + 8) >> 4);
  }
  last_transit_ = transit;
  has_transit_ = true;
}

void Reception::OnSenderReport(std::uint64_t ntp, TimeUs now) {
  last_sr_ = static_cast<std::uint32_t>(ntp >> 16);
  last_sr_us_ = now;
}

rtcp::ReportBlock Reception::Report(std::uint32_t ssrc, TimeUs now) {
  rtcp::ReportBlock block;
  block.ssrc = ssrc;
  const std::int64_t expected = Expected();
  const std::int64_t expected_interval = expected - expected_at_report_;
  const auto received_interval = static_cast<std::int64_t>(received_ - received_at_report_);
  const std::int64_t lost_interval = expected_interval - received_interval;
  if (expected_interval > 0 && lost_interval > 0) {
    block.fraction_lost =
        static_cast<std::uint8_t>(std::min<std::int64_t>(255, lost_interval * 256 / expected_interval));
  }
  expected_at_report_ = expected;
  received_at_report_ = received_;
  block.cumulative_lost = static_cast<std::int32_t>(std::clamp<std::int64_t>(lost(), -0x800000, 0x7FFFFF));
  block.highest_sequence = static_cast<std::uint32_t>(highest_);
  block.jitter = jitter();
  if (last_sr_ != 0) {
    block.last_sr = last_sr_;
    block.delay_since_last_sr =
        static_cast<std::uint32_t>(std::min<std::int64_t>((now - last_sr_us_) * 65'536 / 1'000'000, 0xFFFFFFFF));
  }
  return block;
}

}  // namespace tertulia
