#include "wire/av1.hpp"

namespace tertulia {

bool IsAv1KeyFrame(Bytes payload) {
  // |Z|Y| W |N|-|-|-|: a continued element (Z) and a new sequence (N) exclude each other.
  return payload.size() > 1 && (payload[0] & 0x88) == 0x08;
}

}  // namespace tertulia
