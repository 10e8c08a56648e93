#include "pacer.hpp"

#include <algorithm>

namespace tertulia::load {

namespace {

constexpr double kSecond = 1e9;
constexpr double kFramesPerSecond = 30;
constexpr std::int64_t kPacketsInEvenFrame = 3;
constexpr std::int64_t kSizeSpread = 8;  // frames differ in size, and so do the packets of different frames

}  // namespace

Pacer::Pacer(const Pace& pace, Kind kind, std::int64_t start_ns)
    : pace_(pace), kind_(kind), start_ns_(start_ns), next_ns_(start_ns) {}

const std::vector<Fragment>& Pacer::Due(std::int64_t now_ns) {
  due_.clear();
  if (now_ns < next_ns_) return due_;
  worst_late_ns_ = std::max(worst_late_ns_, now_ns - next_ns_);
  if (pace_.shape == Shape::kFrames) {
    MakeFrame();
  } else {
    MakeSingle();
  }
  ++tick_;
  const double rate = pace_.shape == Shape::kFrames ? kFramesPerSecond : pace_.packets_per_second;
  next_ns_ = start_ns_ + static_cast<std::int64_t>(static_cast<double>(tick_) * kSecond / rate);
  return due_;
}

// libwebrtc splits a frame into packets of nearly the same size: the last ones are a byte longer.
void Pacer::MakeFrame() {
  const double per_frame = pace_.packets_per_second / kFramesPerSecond;
  const auto count = static_cast<std::int64_t>(static_cast<double>(tick_ + 1) * per_frame) -
                     static_cast<std::int64_t>(static_cast<double>(tick_) * per_frame);
  if (count == 0) return;
  const auto full = static_cast<std::int64_t>(pace_.packet_bytes) * count;
  const std::int64_t total = full - tick_ * 7 % (kSizeSpread * count);
  for (std::int64_t i = 0; i < count; ++i) {
    const bool longer = i >= count - total % count;
    due_.push_back(
        {i == 0, i == count - 1, RtpTime(next_ns_), static_cast<std::size_t>(total / count + (longer ? 1 : 0))});
  }
}

void Pacer::MakeSingle() {
  if (kind_ == Kind::kAudio) {
    due_.push_back({true, true, RtpTime(next_ns_), pace_.packet_bytes});
    return;
  }
  const std::int64_t place = tick_ % kPacketsInEvenFrame;
  const std::int64_t frame = tick_ - place;
  const auto frame_ns =
      start_ns_ + static_cast<std::int64_t>(static_cast<double>(frame) * kSecond / pace_.packets_per_second);
  due_.push_back({place == 0, place == kPacketsInEvenFrame - 1, RtpTime(frame_ns),
                  pace_.packet_bytes - static_cast<std::size_t>(frame % kSizeSpread)});
}

std::uint32_t Pacer::RtpTime(std::int64_t ns) const {
  const std::int64_t rate_khz = kind_ == Kind::kVideo ? 90 : 48;
  return static_cast<std::uint32_t>((ns - start_ns_) / 1000 * rate_khz / 1000);
}

}  // namespace tertulia::load
