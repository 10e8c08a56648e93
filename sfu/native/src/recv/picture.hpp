// Reads what a video packet says about its picture, and brings VP8 descriptors into the one form that slots continue.
#pragma once

#include "recv/packet.hpp"
#include "recv/sequence.hpp"
#include "tertulia/types.hpp"

namespace tertulia {

// One a layer: picture ids are of 7 or 15 bits, as the sender likes.
class PictureReader {
 public:
  // Fills `packet.picture`. `packet.payload` must have at least one byte of header before it.
  void Read(Codec codec, IncomingPacket& packet);
  void Reset() { *this = PictureReader(); }

 private:
  void ReadVp8(IncomingPacket& packet);

  Unwrapper<7> short_ids_;
  Unwrapper<15> long_ids_;
};

}  // namespace tertulia
