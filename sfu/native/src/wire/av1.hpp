// AV1 payloads (the RTP payload format of the Alliance for Open Media, section 4.4): the aggregation header.
#pragma once

#include "wire/bytes.hpp"

namespace tertulia {

// The N bit: this packet is the first of a coded video sequence, which begins with a key frame.
[[nodiscard]] bool IsAv1KeyFrame(Bytes payload);

}  // namespace tertulia
