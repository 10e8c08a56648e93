// RTP packets (RFC 3550, section 5): a checked view over received bytes, edits in place, and a header writer.
#pragma once

#include <array>
#include <cstdint>
#include <optional>

#include "wire/bytes.hpp"
#include "wire/ext.hpp"

namespace tertulia {

inline constexpr std::size_t kRtpFixedHeader = 12;
inline constexpr std::size_t kRtpMaxCsrc = 15;
inline constexpr std::size_t kRtpMaxExtensions = 16;

// A view: valid as long as the bytes it was parsed from. All offsets were checked by Parse.
class RtpView {
 public:
  // A plain packet; the padding is checked and taken off the payload.
  static std::optional<RtpView> Parse(Bytes packet);
  // An encrypted packet: the header is in the clear, the padding length is not readable yet.
  static std::optional<RtpView> ParseHeader(Bytes packet);

  [[nodiscard]] bool marker() const { return (packet_[1] & 0x80) != 0; }
  [[nodiscard]] std::uint8_t payload_type() const { return packet_[1] & 0x7F; }
  [[nodiscard]] std::uint16_t sequence() const { return ReadU16(&packet_[2]); }
  [[nodiscard]] std::uint32_t timestamp() const { return ReadU32(&packet_[4]); }
  [[nodiscard]] std::uint32_t ssrc() const { return ReadU32(&packet_[8]); }
  [[nodiscard]] std::size_t csrc_count() const { return packet_[0] & 0x0F; }
  [[nodiscard]] std::uint32_t csrc(std::size_t index) const { return ReadU32(&packet_[kRtpFixedHeader + 4 * index]); }
  [[nodiscard]] const ExtensionBlock& extensions() const { return extensions_; }
  [[nodiscard]] std::optional<Bytes> Extension(std::uint8_t id) const { return extensions_.Find(id); }

  // Fixed part, CSRC and extensions.
  [[nodiscard]] Bytes header() const { return packet_.first(header_size_); }
  // Without padding. A packet of padding only has an empty payload.
  [[nodiscard]] Bytes payload() const { return packet_.subspan(header_size_, payload_size_); }
  [[nodiscard]] std::size_t padding_size() const { return packet_.size() - header_size_ - payload_size_; }
  [[nodiscard]] Bytes packet() const { return packet_; }

 private:
  Bytes packet_;
  std::size_t header_size_ = 0;
  std::size_t payload_size_ = 0;
  ExtensionBlock extensions_;
};

// What a header says, for writing one. Extension values are not owned: they must live until the header is written.
struct RtpHeader {
  bool marker = false;
  bool padding = false;  // the payload that follows ends with padding
  std::uint8_t payload_type = 0;
  std::uint16_t sequence = 0;
  std::uint32_t timestamp = 0;
  std::uint32_t ssrc = 0;
  bool two_byte_allowed = false;  // extmap-allow-mixed was negotiated

  // False when there is no room left.
  bool AddCsrc(std::uint32_t csrc);
  // False when there is no room, or when the element cannot be said in the one-byte form (id 1 to 14, 1 to 16 bytes)
  // and the two-byte form (id 1 to 255, 0 to 255 bytes) is not allowed.
  bool AddExtension(std::uint8_t id, Bytes value);

  // Size when written: with extensions, padded to four bytes.
  [[nodiscard]] std::size_t Size() const;
  // Writes fixed part, CSRC and extensions (the one-byte form unless an element needs the other). Returns the size, 0
  // if `out` is too small.
  [[nodiscard]] std::size_t Write(MutableBytes out) const;

 private:
  [[nodiscard]] std::size_t ExtensionDataSize() const;

  std::array<std::uint32_t, kRtpMaxCsrc> csrc_{};
  std::array<ExtensionElement, kRtpMaxExtensions> extensions_{};
  std::uint8_t csrc_count_ = 0;
  std::uint8_t extension_count_ = 0;
  bool two_byte_ = false;
};

// Edits in place; the packet was parsed before.
inline void SetRtpMarker(MutableBytes packet, bool marker) {
  packet[1] = static_cast<std::uint8_t>((packet[1] & 0x7F) | (marker ? 0x80 : 0));
}
inline void SetRtpPayloadType(MutableBytes packet, std::uint8_t payload_type) {
  packet[1] = static_cast<std::uint8_t>((packet[1] & 0x80) | (payload_type & 0x7F));
}
inline void SetRtpSequence(MutableBytes packet, std::uint16_t sequence) { WriteU16(&packet[2], sequence); }
inline void SetRtpTimestamp(MutableBytes packet, std::uint32_t timestamp) { WriteU32(&packet[4], timestamp); }
inline void SetRtpSsrc(MutableBytes packet, std::uint32_t ssrc) { WriteU32(&packet[8], ssrc); }

// Serial number arithmetic (RFC 1982): is `a` after `b`?
inline bool SequenceNewer(std::uint16_t a, std::uint16_t b) { return static_cast<std::int16_t>(a - b) > 0; }
inline bool TimestampNewer(std::uint32_t a, std::uint32_t b) { return static_cast<std::int32_t>(a - b) > 0; }

}  // namespace tertulia
