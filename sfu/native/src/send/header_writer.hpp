// Writes the header of a forwarded packet: what is the same in all packets of a slot is laid out once. Extensions are
// those that the viewer negotiated, under its own ids: room for the stamp of congestion control and MID in every
// packet, what the source's packet says about level, orientation, capture time and playout delay, and its dependency
// descriptor with the slot's numbers.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "recv/packet.hpp"
#include "send/numbers.hpp"
#include "tertulia/types.hpp"

namespace tertulia {

class HeaderWriter {
 public:
  static constexpr std::size_t kMaxSize = 352;
  using Buffer = std::array<std::uint8_t, kMaxSize>;

  // Where a packet is stamped when it is sent. The same place in every packet of a writer.
  struct Stamp {
    SendStamp kind = SendStamp::kNone;
    std::uint8_t offset = 0;  // of the value, from the start of the packet
  };

  HeaderWriter(const ExtensionIds& ids, std::string_view mid, std::uint32_t ssrc, SendStamp stamp = SendStamp::kNone);

  // Returns the size.
  std::size_t Write(Buffer& out, std::uint8_t payload_type, std::uint32_t csrc, const Numbers& numbers,
                    const IncomingPacket& packet) const;
  [[nodiscard]] Stamp stamp() const { return stamp_; }

 private:
  static constexpr std::array<Ext, 4> kForwarded = {Ext::kAudioLevel, Ext::kOrientation, Ext::kAbsCaptureTime,
                                                    Ext::kPlayoutDelay};
  static constexpr std::size_t kMaxForwardedValue = 8;
  static constexpr std::size_t kExtensionStart = 16;  // after the fixed part and one CSRC
  static constexpr std::size_t kMaxMid = 16;
  static constexpr std::size_t kMaxStamp = 5;

  // Fixed part, CSRC, and the beginning of the extensions with the stamp and MID.
  struct Prefix {
    std::array<std::uint8_t, kExtensionStart + 4 + kMaxStamp + 2 + kMaxMid> bytes{};
    std::uint8_t size = 0;
  };

  void MakePrefix(Prefix& prefix, bool two_byte, const ExtensionIds& ids, std::string_view mid, std::uint32_t ssrc);
  static std::size_t PutElement(std::uint8_t* out, bool two_byte, std::uint8_t id, Bytes value);
  // The descriptor's size in `out`; 0 if none is sent.
  std::size_t WriteDescriptor(MutableBytes out, const Numbers& numbers, const IncomingPacket& packet) const;

  // RFC 8285, 4.1.2: with extmap-allow-mixed, each packet may use the form that it needs.
  Prefix narrow_;
  Prefix wide_;
  bool always_wide_ = false;
  std::uint8_t descriptor_id_ = 0;
  Stamp stamp_;
  std::array<std::uint8_t, kForwarded.size()> ids_{};
};

}  // namespace tertulia
