// Reads what a video packet says about its picture and its layers, and brings picture ids into the one form that slots
// continue.
#pragma once

#include "recv/dependency_reader.hpp"
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
  void ReadVp9(IncomingPacket& packet);
  // Notes the picture id, made one of 15 bits. Returns by how many bytes the payload grew to the left.
  std::size_t ReadPictureId(IncomingPacket& packet, std::uint16_t id, bool is_long, std::size_t offset);

  Unwrapper<7> short_ids_;
  Unwrapper<15> long_ids_;
  DependencyReader dependencies_;
};

}  // namespace tertulia
