#include "send/outgoing_stream.hpp"

#include <algorithm>
#include <cstdlib>

namespace tertulia {
namespace {

constexpr std::uint32_t kAudioRate = 48'000;
constexpr std::uint32_t kVideoRate = 90'000;
// What a stream's first packet keeps from the last of the one before: an audio packet's length, or a millisecond.
constexpr std::int32_t kAudioStep = 960;
constexpr std::int32_t kVideoStep = 90;
// Off the line by less is left alone.
constexpr std::int32_t kVideoTolerance = kVideoRate * 3 / 1'000;
// In running speech a correction is heard, so only a large error is worth one; in a pause it costs nothing.
constexpr std::int32_t kAudioTolerance = kAudioRate * 40 / 1'000;
constexpr std::int32_t kAudioPause = kAudioRate * 130 / 1'000;  // longer than the longest Opus packet

// Mixes the bits of a seed (the finaliser of SplitMix64): first numbers need not be secret, only unalike.
std::uint64_t Mix(std::uint64_t seed) {
  seed += 0x9E3779B97F4A7C15;
  seed = (seed ^ (seed >> 30)) * 0xBF58476D1CE4E5B9;
  seed = (seed ^ (seed >> 27)) * 0x94D049BB133111EB;
  return seed ^ (seed >> 31);
}

}  // namespace

OutgoingStream::OutgoingStream(Kind kind, std::uint32_t ssrc)
    : kind_(kind), timeline_(static_cast<std::uint32_t>(Mix(ssrc)), kind == Kind::kAudio ? kAudioRate : kVideoRate) {
  // Below 2^15, so that a receiver which misses the first packets still guesses the rollover right (RFC 3711, 3.3.1).
  sequences_.Open(0, static_cast<std::int64_t>(Mix(~std::uint64_t{ssrc}) & 0x7FFF));
}

void OutgoingStream::Open(const IncomingPacket& first) {
  std::uint32_t timestamp = timeline_.At(first.capture_us);
  if (sent_) {
    const std::uint32_t earliest =
        timestamp_ + static_cast<std::uint32_t>(kind_ == Kind::kAudio ? kAudioStep : kVideoStep);
    if (static_cast<std::int32_t>(timestamp - earliest) < 0) {
      timestamp = earliest;
    }
  } else {
    timestamp_ = timestamp;
  }
  source_timestamp_ = first.timestamp;
  timestamps_.Open(first.sequence, timestamp - first.timestamp);
  sequences_.Open(first.sequence, sequences_.next());
  pictures_.Open(first);
}

std::optional<Numbers> OutgoingStream::Map(const IncomingPacket& packet) {
  if (packet.in_order && packet.new_timestamp && open()) {
    Steer(packet);
  }
  const std::uint32_t* offset = timestamps_.Find(packet.sequence);
  Numbers numbers;
  if (offset == nullptr || !pictures_.Map(packet, numbers)) {
    return std::nullopt;
  }
  const auto sequence = sequences_.Map(packet.sequence);
  if (!sequence) {
    return std::nullopt;
  }
  numbers.sequence = static_cast<std::uint16_t>(*sequence);
  numbers.timestamp = packet.timestamp + *offset;
  // A late packet is the newest that this slot was given when the later ones were not for it.
  if (packet.newest || (sent_ && static_cast<std::int32_t>(numbers.timestamp - timestamp_) > 0)) {
    sent_ = true;
    timestamp_ = numbers.timestamp;
    source_timestamp_ = packet.timestamp;
  }
  return numbers;
}

void OutgoingStream::Skip(const IncomingPacket& packet) {
  if (!packet.newest || !open()) {
    return;  // a late one: its number was kept for it, and stays a gap
  }
  sequences_.Skip(packet.sequence);
  pictures_.Skip(packet);
}

// Keeps the source on the line: its mapping improves when its first sender report comes, and its clock drifts. Only at
// a packet that begins a picture for certain, as all packets of a picture share a timestamp.
void OutgoingStream::Steer(const IncomingPacket& packet) {
  const std::uint32_t mapped = packet.timestamp + timestamps_.newest();
  const auto error = static_cast<std::int32_t>(timeline_.At(packet.capture_us) - mapped);
  const auto advance = static_cast<std::int32_t>(packet.timestamp - source_timestamp_);
  if (advance <= 0) {
    return;
  }
  const std::int32_t correction =
      kind_ == Kind::kAudio ? AudioCorrection(error, advance) : VideoCorrection(error, advance);
  if (correction == 0) {
    return;
  }
  timestamps_.Push(packet.sequence, timestamps_.newest() + static_cast<std::uint32_t>(correction));
}

// Slowly: an eighth of the time that passed, which nobody sees.
std::int32_t OutgoingStream::VideoCorrection(std::int32_t error, std::int32_t advance) const {
  if (std::abs(error) <= kVideoTolerance) {
    return 0;
  }
  const std::int32_t limit = std::min(advance, static_cast<std::int32_t>(kVideoRate)) / 8;
  return std::clamp(error, -limit, limit);
}

// In a pause at once; in running speech forward only and only when far off, since a player throws away what overlaps.
std::int32_t OutgoingStream::AudioCorrection(std::int32_t error, std::int32_t advance) const {
  const bool pause = advance > kAudioPause;
  if (!pause && error < kAudioTolerance) {
    return 0;
  }
  return std::max(error, std::min(advance, kAudioStep) - advance);
}

}  // namespace tertulia
