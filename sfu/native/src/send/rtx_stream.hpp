// A slot's second stream, on which packets are sent again (RFC 4588): its own SSRC and sequence numbers, so that SRTP
// never sees an index twice.
#pragma once

#include <array>
#include <cstdint>
#include <optional>

#include "send/sent_packets.hpp"
#include "tertulia/types.hpp"

namespace tertulia {

class RtxStream {
 public:
  explicit RtxStream(const SlotConfig& config)
      // Below 2^15, and unlike its neighbours': see OutgoingStream.
      : ssrc_(config.rtx_ssrc), next_sequence_(static_cast<std::uint16_t>((ssrc_ * 2'654'435'761U) >> 17)) {
    for (const auto& [payload_type, rtx_payload_type] : config.rtx_payloads) {
      payload_types_[payload_type & 0x7F] = any_payload_type_ = rtx_payload_type & 0x7F;
    }
  }

  // The payload type that repairs this one; nothing if the viewer has none.
  [[nodiscard]] std::optional<std::uint8_t> PayloadTypeFor(std::uint8_t payload_type) const {
    const std::uint8_t found = payload_types_[payload_type & 0x7F];
    return found == 0 ? std::nullopt : std::optional(found);
  }
  // Any of its payload types, for what repairs nothing.
  [[nodiscard]] std::uint8_t any_payload_type() const { return any_payload_type_; }
  [[nodiscard]] std::uint16_t TakeSequence() { return next_sequence_++; }
  [[nodiscard]] std::uint32_t ssrc() const { return ssrc_; }
  [[nodiscard]] SentPackets& sent() { return sent_; }

 private:
  std::uint32_t ssrc_;
  std::uint16_t next_sequence_;
  std::uint8_t any_payload_type_ = 0;
  std::array<std::uint8_t, 128> payload_types_{};  // by the media's; 0: none
  SentPackets sent_;
};

}  // namespace tertulia
