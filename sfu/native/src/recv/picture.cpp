#include "recv/picture.hpp"

#include <cstring>

#include "wire/keyframe.hpp"
#include "wire/vp8.hpp"
#include "wire/vp9.hpp"

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
  } else if (codec == Codec::kVp9) {
    ReadVp9(packet);
  } else {
    packet.picture.key_frame = IsKeyFrame(codec, packet.payload);
  }
  const Picture by_payload = packet.picture;
  dependencies_.Read(packet);
  if (codec == Codec::kVp8 && by_payload.layering == Layering::kTemporal) {
    // Its own descriptor says all there is to choose by, and its numbers must be continued by picture.
    const dd::Layout layout = packet.picture.descriptor;
    packet.picture = by_payload;
    packet.picture.descriptor = layout;
  }
  if (codec == Codec::kAv1 && packet.dependencies.descriptor) {
    // A viewer can begin where it learns the structure.
    packet.picture.key_frame = packet.dependencies.descriptor->has_structure && packet.picture.key_frame;
  }
}

std::size_t PictureReader::ReadPictureId(IncomingPacket& packet, std::uint16_t id, bool is_long, std::size_t offset) {
  Picture& picture = packet.picture;
  picture.has_picture_id = true;
  picture.picture_id_offset = static_cast<std::uint16_t>(offset);
  if (is_long) {
    picture.picture_id = long_ids_.Unwrap(id);
    return 0;
  }
  WidenPictureId(packet, offset);
  packet.payload[offset] = 0x80;  // M: 15 bits
  packet.payload[offset + 1] = static_cast<std::uint8_t>(id);
  picture.picture_id = short_ids_.Unwrap(id);
  return 1;
}

void PictureReader::ReadVp8(IncomingPacket& packet) {
  const std::optional<Vp8Descriptor> descriptor = ParseVp8(packet.payload);
  if (!descriptor) {
    return;
  }
  Picture& picture = packet.picture;
  std::size_t grown = 0;
  if (descriptor->picture_id) {
    grown = ReadPictureId(packet, *descriptor->picture_id, descriptor->long_picture_id, descriptor->picture_id_offset);
  }
  picture.key_frame = descriptor->frame_start && descriptor->key_frame;
  picture.frame_start = descriptor->frame_start;
  picture.frame_end = packet.marker;
  picture.closes_gaps = true;
  picture.pixels = std::uint32_t{descriptor->width} * descriptor->height;
  if (descriptor->temporal_layer) {
    picture.layering = Layering::kTemporal;
    picture.temporal = *descriptor->temporal_layer;
    picture.sync = descriptor->layer_sync;
  }
  if (descriptor->tl0_index) {
    picture.has_tl0_index = true;
    picture.tl0_index = *descriptor->tl0_index;
    picture.tl0_index_offset = static_cast<std::uint16_t>(descriptor->tl0_index_offset + grown);
  }
  if (descriptor->key_index) {
    picture.has_key_index = true;
    picture.key_index = *descriptor->key_index;
    picture.key_index_offset = static_cast<std::uint16_t>(descriptor->key_index_offset + grown);
  }
}

void PictureReader::ReadVp9(IncomingPacket& packet) {
  const std::optional<Vp9Descriptor> descriptor = ParseVp9(packet.payload);
  if (!descriptor) {
    return;
  }
  Picture& picture = packet.picture;
  std::size_t grown = 0;
  if (descriptor->picture_id) {
    grown = ReadPictureId(packet, *descriptor->picture_id, descriptor->long_picture_id, descriptor->picture_id_offset);
  }
  picture.key_frame = descriptor->frame_start && !descriptor->inter_predicted && descriptor->spatial_layer == 0;
  picture.frame_start = descriptor->frame_start;
  picture.frame_end = descriptor->frame_end;
  if (descriptor->layered) {
    picture.layering = Layering::kSpatial;
    picture.spatial = descriptor->spatial_layer;
    picture.temporal = descriptor->temporal_layer;
    picture.sync = descriptor->switching_up;
  }
  if (descriptor->spatial_count > 0) {
    picture.pixels = descriptor->pixels[descriptor->spatial_count - 1];
  }
  if (descriptor->tl0_index) {
    picture.has_tl0_index = true;
    picture.tl0_index = *descriptor->tl0_index;
    picture.tl0_index_offset = static_cast<std::uint16_t>(descriptor->tl0_index_offset + grown);
  }
}

}  // namespace tertulia
