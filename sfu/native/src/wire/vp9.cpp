#include "wire/vp9.hpp"

namespace tertulia {
namespace {

// RFC 9628, 4.2.1:  | N_S |Y|G|-|-|-|  then sizes (Y), then the group of pictures (G).
void ReadStructure(ByteReader& reader, Vp9Descriptor& descriptor) {
  const std::uint8_t first = reader.U8();
  const std::size_t layers = (first >> 5) + 1U;
  if ((first & 0x10) != 0) {
    descriptor.spatial_count = layers;
    for (std::size_t i = 0; i < layers; ++i) {
      const std::uint32_t width = reader.U16();
      descriptor.pixels[i] = width * reader.U16();
    }
  }
  if ((first & 0x08) != 0) {
    for (std::size_t pictures = reader.U8(); pictures > 0 && reader.ok(); --pictures) {
      reader.Take(reader.U8() >> 2 & 3);
    }
  }
}

}  // namespace

std::optional<Vp9Descriptor> ParseVp9(Bytes payload) {
  // RFC 9628, 4.2:  |I|P|L|F|B|E|V|Z|  then picture id, layer indices, reference indices, scalability structure.
  ByteReader reader(payload);
  Vp9Descriptor descriptor;
  const std::uint8_t first = reader.U8();
  descriptor.inter_predicted = (first & 0x40) != 0;
  descriptor.layered = (first & 0x20) != 0;
  descriptor.flexible = (first & 0x10) != 0;
  descriptor.frame_start = (first & 0x08) != 0;
  descriptor.frame_end = (first & 0x04) != 0;
  descriptor.not_reference = (first & 0x01) != 0;
  if ((first & 0x80) != 0) {
    descriptor.picture_id_offset = reader.position();
    const std::uint8_t high = reader.U8();
    descriptor.long_picture_id = (high & 0x80) != 0;
    descriptor.picture_id =
        descriptor.long_picture_id ? static_cast<std::uint16_t>((high & 0x7F) << 8 | reader.U8()) : std::uint16_t{high};
  }
  if (descriptor.layered) {
    const std::uint8_t layers = reader.U8();
    descriptor.temporal_layer = static_cast<std::uint8_t>(layers >> 5);
    descriptor.switching_up = (layers & 0x10) != 0;
    descriptor.spatial_layer = static_cast<std::uint8_t>(layers >> 1 & 7);
    descriptor.inter_layer = (layers & 1) != 0;
    if (!descriptor.flexible) {
      descriptor.tl0_index_offset = reader.position();
      descriptor.tl0_index = reader.U8();
    }
  }
  if (descriptor.flexible && descriptor.inter_predicted) {
    bool more = true;
    while (more && descriptor.reference_count < Vp9Descriptor::kMaxReferences) {
      const std::uint8_t reference = reader.U8();
      descriptor.references[descriptor.reference_count++] = reference >> 1;
      more = (reference & 1) != 0;
    }
    if (more) return std::nullopt;  // "up to 3 times"
  }
  if ((first & 0x02) != 0) ReadStructure(reader, descriptor);
  if (!reader.ok()) return std::nullopt;
  descriptor.size = reader.position();
  return descriptor;
}

bool IsVp9KeyFrame(Bytes payload) {
  const std::optional<Vp9Descriptor> descriptor = ParseVp9(payload);
  return descriptor && descriptor->frame_start && !descriptor->inter_predicted && descriptor->spatial_layer == 0;
}

}  // namespace tertulia
