// RTX (RFC 4588): a packet sent again on an SSRC of its own, its original sequence number before its payload.
#pragma once

#include <cstdint>
#include <optional>

#include "wire/bytes.hpp"

namespace tertulia {

inline constexpr std::size_t kRtxHeader = 2;

struct RtxPayload {
  std::uint16_t original_sequence = 0;
  MutableBytes payload;
};

// Nothing for what repairs no packet: padding, with which bandwidth is probed.
[[nodiscard]] inline std::optional<RtxPayload> ParseRtx(MutableBytes payload) {
  if (payload.size() <= kRtxHeader) return std::nullopt;
  return RtxPayload{ReadU16(payload.data()), payload.subspan(kRtxHeader)};
}

}  // namespace tertulia
