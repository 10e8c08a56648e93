#include "wire/vp8.hpp"

namespace tertulia {

std::optional<Vp8Descriptor> ParseVp8(Bytes payload) {
  // RFC 7741, 4.2:  |X|R|N|S|R| PID |  then, with X,  |I|L|T|K| RSV |  and the fields that these announce.
  ByteReader reader(payload);
  Vp8Descriptor descriptor;
  const std::uint8_t first = reader.U8();
  descriptor.non_reference = (first & 0x20) != 0;
  descriptor.frame_start = (first & 0x17) == 0x10;
  if ((first & 0x80) != 0) {
    const std::uint8_t present = reader.U8();
    if ((present & 0x80) != 0) {
      descriptor.picture_id_offset = reader.position();
      const std::uint8_t high = reader.U8();
      descriptor.long_picture_id = (high & 0x80) != 0;
      descriptor.picture_id = descriptor.long_picture_id ? static_cast<std::uint16_t>((high & 0x7F) << 8 | reader.U8())
                                                         : std::uint16_t{high};
    }
    if ((present & 0x40) != 0) {
      descriptor.tl0_index_offset = reader.position();
      descriptor.tl0_index = reader.U8();
    }
    if ((present & 0x30) != 0) {
      const std::size_t layer_offset = reader.position();
      const std::uint8_t layer = reader.U8();
      if ((present & 0x20) != 0) {
        descriptor.temporal_layer = static_cast<std::uint8_t>(layer >> 6);
        descriptor.layer_sync = (layer & 0x20) != 0;
      }
      if ((present & 0x10) != 0) {
        descriptor.key_index = layer & 0x1F;
        descriptor.key_index_offset = layer_offset;
      }
    }
  }
  if (!reader.ok()) return std::nullopt;
  descriptor.size = reader.position();
  // RFC 6386, 9.1: the lowest bit of the first byte of a frame is 0 for a key frame.
  descriptor.key_frame = descriptor.frame_start && reader.remaining() > 0 && (payload[descriptor.size] & 1) == 0;
  if (descriptor.key_frame) {
    // Frame tag (3 bytes), start code, then width and height: 14 bits each, little-endian, with two bits of scaling.
    const std::uint8_t* frame = payload.data() + descriptor.size;
    if (reader.remaining() >= 10 && frame[3] == 0x9D && frame[4] == 0x01 && frame[5] == 0x2A) {
      descriptor.width = static_cast<std::uint16_t>((frame[7] << 8 | frame[6]) & 0x3FFF);
      descriptor.height = static_cast<std::uint16_t>((frame[9] << 8 | frame[8]) & 0x3FFF);
    }
  }
  return descriptor;
}

bool IsVp8KeyFrame(Bytes payload) {
  const std::optional<Vp8Descriptor> descriptor = ParseVp8(payload);
  return descriptor && descriptor->key_frame;
}

void SetVp8PictureId(MutableBytes payload, const Vp8Descriptor& descriptor, std::uint16_t picture_id) {
  if (!descriptor.picture_id) return;
  if (descriptor.long_picture_id) {
    WriteU16(&payload[descriptor.picture_id_offset], static_cast<std::uint16_t>(0x8000 | picture_id));
  } else {
    payload[descriptor.picture_id_offset] = picture_id & 0x7F;
  }
}

void SetVp8Tl0Index(MutableBytes payload, const Vp8Descriptor& descriptor, std::uint8_t tl0_index) {
  if (descriptor.tl0_index) payload[descriptor.tl0_index_offset] = tl0_index;
}

}  // namespace tertulia
