// What left a slot under which number: enough to send it again exactly as it was, from the copy that all viewers share.
// Small, and allocated with the first packet; it grows while what it forgets is still young enough to be asked for.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "send/numbers.hpp"
#include "time.hpp"

namespace tertulia {

struct SentPacket {
  static constexpr std::uint8_t kNone = 0xFF;

  Numbers numbers;
  std::uint32_t source_sequence = 0;  // the lower half of the unwrapped number
  std::uint16_t sent_ms = 0;          // last; modulo 2^16
  std::uint8_t payload_type = 0;      // the viewer's
  std::uint8_t layer = kNone;         // of the source
  std::uint8_t run = 0;               // of the layer's sequence numbers
};

class SentPackets {
 public:
  static constexpr std::size_t kMinSize = 64;
  static constexpr std::size_t kMaxSize = 1'024;
  // Who did not ask for a packet by then, does without.
  static constexpr TimeUs kKeepUs = kSecond;

  void Add(const SentPacket& packet, TimeUs now) {
    if (packets_.empty()) {
      packets_.resize(kMinSize);
    }
    if (At(packet.numbers.sequence).layer != SentPacket::kNone && packets_.size() < kMaxSize &&
        Since(At(packet.numbers.sequence), now) < kKeepUs) {
      Grow();
    }
    At(packet.numbers.sequence) = packet;
    Touch(At(packet.numbers.sequence), now);
  }

  // Null for what was not sent, or long ago.
  [[nodiscard]] SentPacket* Find(std::uint16_t sequence) {
    if (packets_.empty()) {
      return nullptr;
    }
    SentPacket& packet = At(sequence);
    return packet.layer != SentPacket::kNone && packet.numbers.sequence == sequence ? &packet : nullptr;
  }

  // How long ago it was sent, up to a minute.
  [[nodiscard]] static TimeUs Since(const SentPacket& packet, TimeUs now) {
    return static_cast<std::uint16_t>(now / kMillisecond - packet.sent_ms) * kMillisecond;
  }
  // It is sent now.
  static void Touch(SentPacket& packet, TimeUs now) { packet.sent_ms = static_cast<std::uint16_t>(now / kMillisecond); }

  // Another source is shown: nothing of the old one is sent any more.
  void Clear() { std::fill(packets_.begin(), packets_.end(), SentPacket()); }

  [[nodiscard]] std::size_t capacity() const { return packets_.size(); }

 private:
  [[nodiscard]] SentPacket& At(std::uint16_t sequence) { return packets_[sequence & (packets_.size() - 1)]; }
  void Grow() {
    std::vector<SentPacket> old(2 * packets_.size());
    old.swap(packets_);
    for (const SentPacket& packet : old) {
      At(packet.numbers.sequence) = packet.layer != SentPacket::kNone ? packet : At(packet.numbers.sequence);
    }
  }

  std::vector<SentPacket> packets_;  // by sequence number; a power of two
};

}  // namespace tertulia
