#include "wire/vp9.hpp"

namespace tertulia {

std::optional<Vp9Descriptor> ParseVp9(Bytes payload) {
  // RFC 9628, 4.2:  |I|P|L|F|B|E|V|Z|  then picture id, layer indices, reference indices.
  ByteReader reader(payload);
  Vp9Descriptor descriptor;
  const std::uint8_t first = reader.U8();
  const bool flexible = (first & 0x10) != 0;
  descriptor.inter_predicted = (first & 0x40) != 0;
  descriptor.frame_start = (first & 0x08) != 0;
  descriptor.frame_end = (first & 0x04) != 0;
  if ((first & 0x80) != 0) {
    const std::uint8_t high = reader.U8();
    descriptor.picture_id =
        (high & 0x80) != 0 ? static_cast<std::uint16_t>((high & 0x7F) << 8 | reader.U8()) : std::uint16_t{high};
  }
  if ((first & 0x20) != 0) {
    const std::uint8_t layers = reader.U8();
    descriptor.temporal_layer = static_cast<std::uint8_t>(layers >> 5);
    descriptor.switching_up = (layers & 0x10) != 0;
    descriptor.spatial_layer = static_cast<std::uint8_t>(layers >> 1 & 7);
    descriptor.inter_layer = (layers & 1) != 0;
    if (!flexible) reader.U8();  // TL0PICIDX
  }
  return reader.ok() ? std::optional(descriptor) : std::nullopt;
}

bool IsVp9KeyFrame(Bytes payload) {
  const std::optional<Vp9Descriptor> descriptor = ParseVp9(payload);
  return descriptor && descriptor->frame_start && !descriptor->inter_predicted && descriptor->spatial_layer == 0;
}

}  // namespace tertulia
