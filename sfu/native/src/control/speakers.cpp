#include "control/speakers.hpp"

#include <algorithm>
#include <cmath>
#include <cstdlib>

namespace tertulia {
namespace {

constexpr double kOnLoudness = 127 - 50;   // -50 dBov: speech, not a fan
constexpr double kOffLoudness = 127 - 57;  // and some less to keep it
constexpr double kMaxLoudness = 127 - 12;  // no claim counts for more
constexpr double kAssumedLoudness = 127 - 40;
constexpr TimeUs kHangoverUs = 600 * kMillisecond;
constexpr TimeUs kAttackUs = 60 * kMillisecond;
constexpr TimeUs kReleaseUs = 300 * kMillisecond;
constexpr TimeUs kStaleUs = 150 * kMillisecond;  // no packet for so long is silence (DTX)
constexpr TimeUs kSleepUs = 2 * kSecond;         // after so long without any packet nothing is evaluated
constexpr TimeUs kLevelsOnlyUs = 500 * kMillisecond;
constexpr std::size_t kSilentPayload = 3;  // Opus says "nothing" in up to so many bytes (RFC 6716, 3.2.1 and DTX)
constexpr std::size_t kSoundPayload = 24;  // without a level: below this, 20 ms of Opus hold hardly any sound
constexpr int kClearlyLouder = 6;

}  // namespace

void Voice::OnPacket(const std::optional<AudioLevel>& level, std::size_t payload_size, TimeUs now) {
  double loudness = 0;
  if (payload_size > kSilentPayload) {
    if (level) {
      loudness = std::min<double>(127 - level->level, kMaxLoudness);
    } else if (payload_size >= kSoundPayload) {
      loudness = kAssumedLoudness;
    }
  }
  Approach(loudness, std::clamp<TimeUs>(now - last_us_, 0, 60 * kMillisecond));
  last_us_ = now;
}

void Voice::Approach(double loudness, TimeUs elapsed) {
  const TimeUs constant = loudness > smoothed_ ? kAttackUs : kReleaseUs;
  const double share = static_cast<double>(elapsed) / static_cast<double>(constant + elapsed);
  smoothed_ += (loudness - smoothed_) * share;
}

void Voice::Evaluate(TimeUs now) {
  if (now - last_us_ > kStaleUs) {
    Approach(0, Speakers::kIntervalUs);
  }
  if (smoothed_ >= kOnLoudness) {
    speaking_ = true;
  }
  if (smoothed_ >= kOffLoudness) {
    quiet_since_us_ = kNever;
  } else if (quiet_since_us_ == kNever) {
    quiet_since_us_ = now;
  } else if (now - quiet_since_us_ >= kHangoverUs) {
    speaking_ = false;
  }
}

Speakers::Speakers() {
  order_.reserve(kMaxListed);
  told_.reserve(kMaxListed);
}

Voice* Speakers::Add(Handle source) {
  voices_.push_back(std::make_unique<Voice>(source));
  order_.reserve(std::max(voices_.size(), kMaxListed));
  return voices_.back().get();
}

void Speakers::Remove(Handle source) {
  std::erase_if(order_, [&](const Voice* voice) { return voice->source() == source; });
  const std::size_t before = told_.size();
  std::erase_if(told_, [&](const auto& entry) { return entry.first == source; });
  removed_ = removed_ || told_.size() != before;
  std::erase_if(voices_, [&](const auto& voice) { return voice->source() == source; });
  if (removed_) {
    due_us_ = 0;  // tell it at the next opportunity
  }
}

bool Speakers::Evaluate(TimeUs now) {
  due_us_ = kNever;
  for (const auto& voice : voices_) {
    voice->Evaluate(now);
    if (voice->speaking() || now - voice->last_us() < kSleepUs) {
      due_us_ = now + kIntervalUs;
    }
  }
  Order();
  if (!WorthTelling(now)) {
    return false;
  }
  removed_ = false;
  told_us_ = now;
  told_.clear();
  for (const Voice* voice : order_) {
    if (told_.size() < kMaxListed) {
      told_.emplace_back(voice->source(), static_cast<std::uint8_t>(127 - voice->loudness()));
    }
  }
  return true;
}

void Speakers::Order() {
  std::erase_if(order_, [](const Voice* voice) { return !voice->speaking(); });
  for (const auto& voice : voices_) {
    if (voice->speaking() && std::find(order_.begin(), order_.end(), voice.get()) == order_.end()) {
      order_.push_back(voice.get());
    }
  }
  // One moves ahead of another only when it is clearly louder.
  for (std::size_t i = 1; i < order_.size(); ++i) {
    for (std::size_t j = i; j > 0 && order_[j]->loudness() >= order_[j - 1]->loudness() + kClearlyLouder; --j) {
      std::swap(order_[j], order_[j - 1]);
    }
  }
}

bool Speakers::WorthTelling(TimeUs now) const {
  const std::size_t listed = std::min(order_.size(), kMaxListed);
  if (removed_ || listed != told_.size()) {
    return true;
  }
  bool louder = false;
  for (std::size_t i = 0; i < listed; ++i) {
    if (order_[i]->source() != told_[i].first) {
      return true;
    }
    louder = louder || std::abs(127 - order_[i]->loudness() - told_[i].second) >= kClearlyLouder;
  }
  return louder && now - told_us_ >= kLevelsOnlyUs;
}

}  // namespace tertulia
