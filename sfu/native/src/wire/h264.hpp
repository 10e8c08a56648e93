// H.264 payloads (RFC 6184), as far as forwarding needs them: where does a picture begin that needs nothing before it?
#pragma once

#include "wire/bytes.hpp"

namespace tertulia {

// True for a packet that carries an SPS or (the beginning of) an IDR slice, alone, in a STAP-A, or in the first
// fragment of an FU-A. Encoders send the SPS before the IDR slice, so a stream opened here is decodable.
[[nodiscard]] bool IsH264KeyFrame(Bytes payload);

}  // namespace tertulia
