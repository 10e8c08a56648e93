// RTP header extensions: the block in both forms of RFC 8285, and the values of those that the core reads or writes.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

#include "tertulia/types.hpp"
#include "wire/bytes.hpp"

namespace tertulia {

struct ExtensionElement {
  std::uint8_t id = 0;
  Bytes value;
};

// The extension block of a packet: the 16-bit profile and what follows the length field. Not owned.
class ExtensionBlock {
 public:
  static constexpr std::uint16_t kOneByteProfile = 0xBEDE;  // RFC 8285, 4.2
  static constexpr std::uint16_t kTwoByteProfile = 0x1000;  // RFC 8285, 4.3; the low four bits are "appbits"

  ExtensionBlock() = default;
  ExtensionBlock(std::uint16_t profile, Bytes data) : profile_(profile), data_(data) {}

  [[nodiscard]] bool one_byte() const { return profile_ == kOneByteProfile; }
  [[nodiscard]] bool two_byte() const { return (profile_ & 0xFFF0) == kTwoByteProfile; }
  [[nodiscard]] Bytes data() const { return data_; }

  // Steps through the elements: `offset` begins at 0. False at the end, and at an element that overruns the block (what
  // came before it counts, RFC 8285 has no resynchronisation). An unknown profile has no elements.
  bool Next(std::size_t& offset, ExtensionElement& element) const;

  // The first element with this id; ids are negotiated, 0 finds nothing.
  [[nodiscard]] std::optional<Bytes> Find(std::uint8_t id) const;

 private:
  std::uint16_t profile_ = 0;
  Bytes data_;
};

// RFC 6464: level in -dBov, 0 loudest, 127 silence.
struct AudioLevel {
  bool voice = false;
  std::uint8_t level = 127;
};
[[nodiscard]] std::optional<AudioLevel> ParseAudioLevel(Bytes value);

[[nodiscard]] std::optional<std::uint16_t> ParseTransportCc(Bytes value);
[[nodiscard]] std::array<std::uint8_t, 2> TransportCcValue(std::uint16_t sequence);

// abs-send-time: 24 bits of seconds in 6.18 fixed point, wraps every 64 s.
[[nodiscard]] std::optional<std::uint32_t> ParseAbsSendTime(Bytes value);
[[nodiscard]] std::array<std::uint8_t, 3> AbsSendTimeValue(TimeUs now);

// MID, RID and repaired RID (RFC 9143, RFC 8852): 1 to 64 bytes of token characters; anything else is refused.
[[nodiscard]] std::optional<std::string_view> ParseStreamId(Bytes value);
[[nodiscard]] inline Bytes StreamIdValue(std::string_view id) {
  return {reinterpret_cast<const std::uint8_t*>(id.data()), id.size()};
}

}  // namespace tertulia
