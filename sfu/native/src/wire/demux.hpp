// One port for everything: the first byte says what a datagram is (RFC 7983), the second tells RTP from RTCP (RFC
// 5761).
#pragma once

#include <cstdint>

#include "wire/bytes.hpp"

namespace tertulia {

enum class DatagramKind : std::uint8_t { kStun, kDtls, kRtp, kRtcp, kOther };

[[nodiscard]] inline DatagramKind Classify(Bytes datagram) {
  if (datagram.size() < 8) return DatagramKind::kOther;
  const std::uint8_t first = datagram[0];
  if (first < 4) return datagram.size() >= 20 ? DatagramKind::kStun : DatagramKind::kOther;
  if (first >= 20 && first <= 63) return datagram.size() >= 13 ? DatagramKind::kDtls : DatagramKind::kOther;
  if (first < 128 || first > 191) return DatagramKind::kOther;
  // RFC 5761, 4: RTCP packet types 192 to 223 never collide with the payload types 64 to 95 that RTP then avoids.
  if (datagram[1] >= 192 && datagram[1] <= 223) return DatagramKind::kRtcp;
  return datagram.size() >= 12 ? DatagramKind::kRtp : DatagramKind::kOther;
}

}  // namespace tertulia
