#include "recv/clock_map.hpp"

#include <algorithm>

namespace tertulia {
namespace {

// Of an unwrapped timestamp; in two steps, so that no product overflows.
std::int64_t TicksToUs(std::int64_t ticks, std::uint32_t clock_rate) {
  const std::int64_t rate = clock_rate;
  return ticks / rate * 1'000'000 + ticks % rate * 1'000'000 / rate;
}

}  // namespace

void WindowedMinimum::Add(std::int64_t sample, TimeUs now) {
  if (empty()) {
    bucket_start_us_ = now;
  } else if (now - bucket_start_us_ >= kBucketUs) {
    previous_ = now - bucket_start_us_ < 2 * kBucketUs ? current_ : kNone;
    current_ = kNone;
    bucket_start_us_ = now;
  }
  current_ = std::min(current_, sample);
}

void StreamClock::OnSenderReport(PublisherClock& publisher, std::uint64_t ntp, std::uint32_t timestamp, TimeUs now) {
  const std::int64_t ntp_us = NtpToUs(ntp);
  report_ = Relation{ntp_us, timestamp};
  publisher.Sample(now, ntp_us);
}

TimeUs StreamClock::Map(PublisherClock& publisher, std::uint32_t timestamp, std::uint32_t clock_rate, TimeUs now) {
  const std::int64_t timestamp_us = TicksToUs(unwrapper_.Unwrap(timestamp), clock_rate);
  if (report_) {
    const auto ticks = static_cast<std::int32_t>(timestamp - report_->timestamp);
    const std::int64_t ntp_us = report_->ntp_us + TicksToUs(ticks, clock_rate);
    publisher.Sample(now, ntp_us);
    const TimeUs captured = ntp_us + publisher.offset_us();
    if (captured <= now && now - captured <= kMaxAgeUs) {
      transit_.Add(now - timestamp_us, now);
      return captured;
    }
    report_.reset();
  }
  transit_.Add(now - timestamp_us, now);
  TimeUs captured = timestamp_us + transit_.value();
  if (captured > now || now - captured > kMaxAgeUs) {
    transit_.Reset();
    transit_.Add(now - timestamp_us, now);
    captured = now;
  }
  return captured;
}

}  // namespace tertulia
