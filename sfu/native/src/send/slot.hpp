// One outgoing stream of a viewer: translates what its source sends into its own payload types, numbers and extensions.
// Which packets it gets is decided elsewhere.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "recv/packet.hpp"
#include "send/header_writer.hpp"
#include "send/layer_filter.hpp"
#include "send/numbers.hpp"
#include "send/outgoing_stream.hpp"
#include "send/sr_schedule.hpp"
#include "tertulia/types.hpp"
#include "wire/rtcp.hpp"

namespace tertulia {

class Slot {
 public:
  Slot(const SlotConfig& config, const ExtensionIds& extensions);

  // From now on it shows a source with these payload types; nothing is open until Open.
  void Occupy(std::uint32_t csrc, std::span<const PayloadType> payloads);
  // The viewer knows the format of this payload type.
  [[nodiscard]] bool Decodes(std::uint8_t payload_type) const {
    return payload_map_[payload_type & 0x7F] != kNoPayload;
  }

  // The viewer's payload type for one of the source's; kNoPayload if it has none.
  [[nodiscard]] std::uint8_t PayloadTypeOf(std::uint8_t payload_type) const {
    return payload_map_[payload_type & 0x7F];
  }

  // A stream of the source (or another layer of it) begins in the slot with `first`, which Forward then sends.
  void Open(const IncomingPacket& first);
  void Close() { stream_.Close(); }

  // Which layers of the stream that is shown the viewer gets.
  void Want(LayerTarget layers) { filter_.Want(layers); }
  // What is wanted of the stream can be had only from a key frame on.
  [[nodiscard]] bool needs_key_frame() const { return stream_.open() && filter_.needs_key_frame(); }

  // The numbers under which the packet goes to the viewer; nothing if it must not go.
  std::optional<Numbers> Place(const IncomingPacket& packet);
  // The header of a packet that was placed, its payload rewritten in place. The same numbers make the same bytes.
  Bytes Write(IncomingPacket& packet, const Numbers& numbers, HeaderWriter::Buffer& buffer) const;
  // Both, and counts it; empty if it must not go.
  Bytes Forward(IncomingPacket& packet, HeaderWriter::Buffer& buffer, Numbers& numbers);
  // The header of a packet without content, for a stream of its own beside the media's (its numbers are written over).
  Bytes Blank(std::uint8_t payload_type, HeaderWriter::Buffer& buffer) const;

  [[nodiscard]] rtcp::SenderInfo Report(TimeUs now, std::int64_t wall_clock_offset_us) const;
  [[nodiscard]] std::uint32_t next_timestamp() const { return stream_.next_timestamp(); }

  [[nodiscard]] Handle handle() const { return handle_; }
  [[nodiscard]] Kind kind() const { return kind_; }
  [[nodiscard]] std::uint32_t ssrc() const { return ssrc_; }
  [[nodiscard]] const std::string& cname() const { return cname_; }
  [[nodiscard]] HeaderWriter::Stamp stamp() const { return header_.stamp(); }
  [[nodiscard]] SrSchedule& reports() { return reports_; }
  [[nodiscard]] std::uint64_t packets() const { return packets_; }
  [[nodiscard]] std::uint64_t bytes() const { return bytes_; }
  [[nodiscard]] std::uint64_t dropped() const { return dropped_; }

 private:
  static constexpr std::uint8_t kNoPayload = 0xFF;

  Handle handle_;
  Kind kind_;
  std::uint32_t ssrc_;
  std::string cname_;
  std::vector<std::pair<std::uint16_t, std::uint8_t>> formats_;
  HeaderWriter header_;
  OutgoingStream stream_;
  LayerFilter filter_;
  SrSchedule reports_;
  std::uint32_t csrc_ = 0;
  bool opening_ = false;  // the next packet is the first of a stream
  std::array<std::uint8_t, 128> payload_map_{};
  std::uint64_t packets_ = 0;
  std::uint64_t bytes_ = 0;  // of payload, as sender reports count them
  std::uint64_t dropped_ = 0;
};

}  // namespace tertulia
