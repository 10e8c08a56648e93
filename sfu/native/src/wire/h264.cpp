#include "wire/h264.hpp"

namespace tertulia {

namespace {
// NAL unit types of H.264 and of RFC 6184, 5.2.
constexpr std::uint8_t kTypeMask = 0x1F;
constexpr std::uint8_t kIdrSlice = 5;
constexpr std::uint8_t kSequenceParameters = 7;
constexpr std::uint8_t kStapA = 24;
constexpr std::uint8_t kFuA = 28;
constexpr std::uint8_t kFuStart = 0x80;

bool OpensStream(std::uint8_t nal_header) {
  const std::uint8_t type = nal_header & kTypeMask;
  return type == kIdrSlice || type == kSequenceParameters;
}
}  // namespace

bool IsH264KeyFrame(Bytes payload) {
  if (payload.empty()) return false;
  switch (payload[0] & kTypeMask) {
    case kStapA:
      for (ByteReader reader(payload.subspan(1)); reader.remaining() > 0;) {
        const Bytes unit = reader.Take(reader.U16());
        if (unit.empty()) return false;
        if (OpensStream(unit[0])) return true;
      }
      return false;
    case kFuA:
      return payload.size() > 1 && (payload[1] & kFuStart) != 0 && OpensStream(payload[1]);
    default:
      return OpensStream(payload[0]);
  }
}

}  // namespace tertulia
