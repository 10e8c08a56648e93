// From a publisher's clocks to the worker's. A publisher's sender reports tie the RTP timestamps of each of its streams
// to one NTP clock; one offset a publisher, the smallest (arrival - NTP time) of late, ties that clock to the worker's.
// Audio and video share the offset, so what was captured together stays together. Until a stream's first report its
// timestamps are mapped by the smallest (arrival - timestamp).
#pragma once

#include <cstdint>
#include <limits>
#include <optional>

#include "recv/sequence.hpp"
#include "tertulia/types.hpp"

namespace tertulia {

// The smallest sample of the last 10 to 20 seconds: old enough to have met a quick packet, young enough to follow
// drift.
class WindowedMinimum {
 public:
  void Add(std::int64_t sample, TimeUs now);
  void Reset() { *this = WindowedMinimum(); }
  [[nodiscard]] bool empty() const { return current_ == kNone && previous_ == kNone; }
  [[nodiscard]] std::int64_t value() const { return current_ < previous_ ? current_ : previous_; }

 private:
  static constexpr std::int64_t kNone = std::numeric_limits<std::int64_t>::max();
  static constexpr TimeUs kBucketUs = 10'000'000;
  std::int64_t current_ = kNone;
  std::int64_t previous_ = kNone;
  TimeUs bucket_start_us_ = 0;
};

// One a publisher: worker time = NTP time + offset.
class PublisherClock {
 public:
  void Sample(TimeUs arrival_us, std::int64_t ntp_us) { offset_.Add(arrival_us - ntp_us, arrival_us); }
  [[nodiscard]] bool known() const { return !offset_.empty(); }
  [[nodiscard]] std::int64_t offset_us() const { return offset_.value(); }

 private:
  WindowedMinimum offset_;
};

// One a stream: RTP timestamp -> worker time.
class StreamClock {
 public:
  void OnSenderReport(PublisherClock& publisher, std::uint64_t ntp, std::uint32_t timestamp, TimeUs now);

  // When the sample with this timestamp was captured. Never after its arrival, and never more than a second before it:
  // beyond that the relation is stale (a pause whose gap the timestamps do not show, a clock that was set, a forged
  // report), and the arrival is what can be trusted until the next report.
  [[nodiscard]] TimeUs Map(PublisherClock& publisher, std::uint32_t timestamp, std::uint32_t clock_rate, TimeUs now);

  void Reset() { *this = StreamClock(); }

 private:
  static constexpr TimeUs kMaxAgeUs = 1'000'000;

  struct Relation {
    std::int64_t ntp_us = 0;
    std::uint32_t timestamp = 0;
  };
  std::optional<Relation> report_;
  Unwrapper<32> unwrapper_;
  WindowedMinimum transit_;  // arrival - timestamp
};

// 32.32 fixed point seconds <-> microseconds.
[[nodiscard]] inline std::int64_t NtpToUs(std::uint64_t ntp) {
  return static_cast<std::int64_t>((ntp >> 32) * 1'000'000 + (((ntp & 0xFFFFFFFF) * 1'000'000) >> 32));
}
[[nodiscard]] inline std::uint64_t UsToNtp(std::int64_t us) {
  const auto value = static_cast<std::uint64_t>(us);
  return (value / 1'000'000) << 32 | ((value % 1'000'000) << 32) / 1'000'000;
}
// From microseconds since 1970: NTP counts from 1900 (RFC 3550, 4).
[[nodiscard]] inline std::uint64_t WallNtp(std::int64_t wall_us) {
  return UsToNtp(wall_us + std::int64_t{2'208'988'800} * 1'000'000);
}

}  // namespace tertulia
