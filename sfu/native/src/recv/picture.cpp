#include "recv/picture.hpp"

#include <cstring>

#include "wire/keyframe.hpp"
#include "wire/vp8.hpp"

namespace tertulia {
namespace {

// A picture id of 7 bits cannot continue one of 15: make room for the longer form by moving the descriptor's first two
// octets and the short id one byte to the left, over the header, whose extension values are moved away first.
void WidenPictureId(IncomingPacket& packet, std::size_t picture_id_offset) {
  std::size_t used = 0;
  for (Bytes& value : packet.extensions) {
    if (value.empty()) {
      continue;
    }
    if (value.size() > packet.moved.size() - used) {
      value = {};  // no extension that is passed on is that long
      continue;
    }
    std::memcpy(packet.moved.data() + used, value.data(), value.size());
    value = Bytes(packet.moved.data() + used, value.size());
    used += value.size();
  }
  std::uint8_t* start = packet.payload.data() - 1;
  std::memmove(start, packet.payload.data(), picture_id_offset + 1);
  packet.payload = MutableBytes(start, packet.payload.size() + 1);
}

}  // namespace

void PictureReader::Read(Codec codec, IncomingPacket& packet) {
  packet.picture = Picture();
  if (codec == Codec::kVp8) {
    ReadVp8(packet);
  } else {
    packet.picture.key_frame = IsKeyFrame(codec, packet.payload);
  }
}

void PictureReader::ReadVp8(IncomingPacket& packet) {
  std::optional<Vp8Descriptor> descriptor = ParseVp8(packet.payload);
  if (!descriptor) {
    return;
  }
  if (descriptor->picture_id && !descriptor->long_picture_id) {
    const std::size_t at = descriptor->picture_id_offset;
    WidenPictureId(packet, at);
    const std::uint8_t id = packet.payload[at] & 0x7F;
    packet.payload[at] = 0x80;  // M: 15 bits
    packet.payload[at + 1] = id;
    ++descriptor->tl0_index_offset;
    ++descriptor->key_index_offset;
    packet.picture.picture_id = short_ids_.Unwrap(id);
  } else if (descriptor->picture_id) {
    packet.picture.picture_id = long_ids_.Unwrap(*descriptor->picture_id);
  }
  Picture& picture = packet.picture;
  picture.key_frame = descriptor->frame_start && descriptor->key_frame;
  picture.pixels = std::uint32_t{descriptor->width} * descriptor->height;
  picture.has_picture_id = descriptor->picture_id.has_value();
  picture.picture_id_offset = static_cast<std::uint16_t>(descriptor->picture_id_offset);
  if (descriptor->tl0_index) {
    picture.has_tl0_index = true;
    picture.tl0_index = *descriptor->tl0_index;
    picture.tl0_index_offset = static_cast<std::uint16_t>(descriptor->tl0_index_offset);
  }
  if (descriptor->key_index) {
    picture.has_key_index = true;
    picture.key_index = *descriptor->key_index;
    picture.key_index_offset = static_cast<std::uint16_t>(descriptor->key_index_offset);
  }
}

}  // namespace tertulia
