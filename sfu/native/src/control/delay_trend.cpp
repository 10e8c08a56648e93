#include "control/delay_trend.hpp"

#include <algorithm>
#include <cmath>

namespace tertulia {
namespace {

// Shares of the distance, a millisecond. Section 5.4 has the threshold fall faster than it rises; samples are fewer
// here, and a path that was noisy a second ago still is. It does not follow what is far outside.
constexpr double kRise = 0.0087;
constexpr double kFall = 0.0005;
constexpr double kOutlierMs = 15;
constexpr double kLeastThresholdMs = 6;
constexpr double kGreatestThresholdMs = 600;
constexpr double kStepMs = 100;
// Standard errors of the growth: what noise alone makes of a steady delay stays below.
constexpr double kErrors = 3;
// A queue that grows evenly keeps its growth; one that clearly falls short of what it was is draining.
constexpr double kOnItsWayDown = 0.9;

}  // namespace

void DelayTrend::OnPacket(TimeUs sent_us, TimeUs arrival_us) {
  const TimeUs delay = arrival_us - sent_us;
  if (started_ && sent_us - window_start_us_ > kPauseUs) {
    Restart();
  }
  if (!started_ || sent_us - window_start_us_ >= kWindowUs) {
    if (started_) {
      CloseWindow();
    } else {
      least_us_ = next_least_us_ = delay_us_ = delay;
      least_since_us_ = sent_us;
    }
    started_ = true;
    window_start_us_ = sent_us;
    window_delay_us_ = delay;
    window_at_us_ = sent_us;
  } else if (delay < window_delay_us_) {
    window_delay_us_ = delay;
    window_at_us_ = sent_us;
  }
}

void DelayTrend::Restart() {
  started_ = false;
  count_ = 0;
  above_ = 0;
  growth_before_ms_ = 0;
  usage_ = Usage::kNormal;
}

void DelayTrend::NoteLeast(TimeUs at_us) {
  if (at_us - least_since_us_ > kForgetUs) {
    least_us_ = next_least_us_;
    next_least_us_ = delay_us_;
    least_since_us_ = at_us;
  }
  next_least_us_ = std::min(next_least_us_, delay_us_);
  least_us_ = std::min(least_us_, delay_us_);
}

void DelayTrend::CloseWindow() {
  delay_us_ = window_delay_us_;
  NoteLeast(window_at_us_);
  const double at_ms = static_cast<double>(window_at_us_) / kMillisecond;
  const double delay_ms = static_cast<double>(delay_us_) / kMillisecond;
  if (count_ == 0) {
    origin_ms_ = delay_ms;
    first_ms_ = at_ms;
    judged_ms_ = at_ms;
  }
  samples_[count_ % kSamples] = {at_ms - first_ms_, delay_ms - origin_ms_};
  ++count_;
  if (count_ >= kFewest) {
    Judge(Fit(), at_ms);
  }
}

// The line through the samples (least squares): how much the delay grew over the time they span, and how far off that
// may be, given how far they lie from the line.
DelayTrend::Growth DelayTrend::Fit() const {
  const std::size_t n = std::min(count_, kSamples);
  const auto count = static_cast<double>(n);
  double mean_x = 0;
  double mean_y = 0;
  double first = samples_[0].at_ms;
  double last = first;
  for (std::size_t i = 0; i < n; ++i) {
    mean_x += samples_[i].at_ms / count;
    mean_y += samples_[i].delay_ms / count;
    first = std::min(first, samples_[i].at_ms);
    last = std::max(last, samples_[i].at_ms);
  }
  double xx = 0;
  double xy = 0;
  double yy = 0;
  for (std::size_t i = 0; i < n; ++i) {
    const double dx = samples_[i].at_ms - mean_x;
    const double dy = samples_[i].delay_ms - mean_y;
    xx += dx * dx;
    xy += dx * dy;
    yy += dy * dy;
  }
  if (xx <= 0) {
    return {};
  }
  const double residual = std::max(0.0, yy - xy * xy / xx) / (count - 2);
  return {xy / xx * (last - first), std::sqrt(residual / xx) * (last - first)};
}

void DelayTrend::Judge(const Growth& growth, double at_ms) {
  const double growth_ms = growth.ms;
  if (growth_ms > threshold_ms_ && growth_ms > kErrors * growth.error_ms) {
    // Two in a row, and not on its way down already.
    above_ = growth_ms >= kOnItsWayDown * growth_before_ms_ ? above_ + 1 : above_;
    usage_ = above_ >= 2 && growth_ms >= kOnItsWayDown * growth_before_ms_ ? Usage::kOver : Usage::kNormal;
  } else {
    above_ = 0;
    usage_ = growth_ms < -threshold_ms_ ? Usage::kUnder : Usage::kNormal;
  }
  growth_before_ms_ = growth_ms;

  const double size = std::abs(growth_ms);
  if (size <= threshold_ms_ + kOutlierMs) {
    const double factor = size < threshold_ms_ ? kFall : kRise;
    threshold_ms_ += factor * (size - threshold_ms_) * std::min(at_ms - judged_ms_, kStepMs);
    threshold_ms_ = std::clamp(threshold_ms_, kLeastThresholdMs, kGreatestThresholdMs);
  }
  judged_ms_ = at_ms;
}

}  // namespace tertulia
