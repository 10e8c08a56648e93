// Writes the header of a forwarded packet: what is the same in all packets of a slot is laid out once. Extensions are
// those that the viewer negotiated, under its own ids: MID in every packet, room for the stamp of congestion control,
// and what the source's packet says about level, orientation, capture time and playout delay.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "recv/packet.hpp"
#include "tertulia/types.hpp"

namespace tertulia {

class HeaderWriter {
 public:
  static constexpr std::size_t kMaxSize = 96;
  using Buffer = std::array<std::uint8_t, kMaxSize>;

  // Where a packet is stamped when it is sent. The same place in every packet of a writer.
  struct Stamp {
    SendStamp kind = SendStamp::kNone;
    std::uint8_t offset = 0;  // of the value, from the start of the packet
  };

  HeaderWriter(const ExtensionIds& ids, std::string_view mid, std::uint32_t ssrc, SendStamp stamp = SendStamp::kNone);

  struct Fields {
    std::uint8_t payload_type = 0;
    bool marker = false;
    std::uint16_t sequence = 0;
    std::uint32_t timestamp = 0;
    std::uint32_t csrc = 0;
  };
  // Returns the size.
  std::size_t Write(Buffer& out, const Fields& fields, const IncomingPacket& packet) const;
  [[nodiscard]] Stamp stamp() const { return stamp_; }

 private:
  static constexpr std::array<Ext, 4> kForwarded = {Ext::kAudioLevel, Ext::kOrientation, Ext::kAbsCaptureTime,
                                                    Ext::kPlayoutDelay};
  static constexpr std::size_t kMaxForwardedValue = 8;
  static constexpr std::size_t kExtensionStart = 16;  // after the fixed part and one CSRC

  std::size_t PutElement(std::uint8_t* out, std::uint8_t id, Bytes value) const;

  void ReserveStamp(const ExtensionIds& ids, SendStamp stamp);

  bool two_byte_ = false;
  Stamp stamp_;
  std::array<std::uint8_t, kForwarded.size()> ids_{};
  std::array<std::uint8_t, kMaxSize> prefix_{};
  std::size_t prefix_size_ = 0;
};

}  // namespace tertulia
