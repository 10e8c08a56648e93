#include "send/picture_munger.hpp"

namespace tertulia {

void PictureMunger::Open(const IncomingPacket& first) {
  const Picture& picture = first.picture;
  picture_ids_.Open(picture.picture_id, picture_id_ + 1);
  tl0_offset_ = static_cast<std::uint8_t>(tl0_index_ + 1 - picture.tl0_index);
  key_offset_ = static_cast<std::uint8_t>(key_index_ + 1 - picture.key_index);
  if (first.dependencies.descriptor) {
    frame_offset_ = static_cast<std::uint16_t>(frame_number_ + 1 - first.dependencies.descriptor->frame_number);
  }
}

bool PictureMunger::Map(const IncomingPacket& packet, Numbers& numbers) {
  const Picture& picture = packet.picture;
  if (picture.has_picture_id) {
    const auto id = picture_ids_.Map(picture.picture_id);
    if (!id) {
      return false;
    }
    numbers.picture_id = static_cast<std::uint16_t>(*id & 0x7FFF);
  }
  numbers.tl0_index = static_cast<std::uint8_t>(picture.tl0_index + tl0_offset_);
  numbers.key_index = static_cast<std::uint8_t>((picture.key_index + key_offset_) & 0x1F);
  if (packet.dependencies.descriptor) {
    numbers.frame_number = static_cast<std::uint16_t>(packet.dependencies.descriptor->frame_number + frame_offset_);
  }
  if (packet.newest) {
    picture_id_ = picture.has_picture_id ? numbers.picture_id : picture_id_;
    tl0_index_ = picture.has_tl0_index ? numbers.tl0_index : tl0_index_;
    key_index_ = picture.has_key_index ? numbers.key_index : key_index_;
    frame_number_ = packet.dependencies.descriptor ? numbers.frame_number : frame_number_;
  }
  return true;
}

void PictureMunger::Skip(const IncomingPacket& packet) {
  if (packet.picture.has_picture_id && packet.picture.closes_gaps) {
    picture_ids_.Skip(packet.picture.picture_id);
  }
}

void PictureMunger::Apply(const Numbers& numbers, const Picture& picture, MutableBytes payload) {
  if (picture.has_picture_id) {
    WriteU16(&payload[picture.picture_id_offset], static_cast<std::uint16_t>(0x8000 | numbers.picture_id));
  }
  if (picture.has_tl0_index) {
    payload[picture.tl0_index_offset] = numbers.tl0_index;
  }
  if (picture.has_key_index) {
    std::uint8_t& octet = payload[picture.key_index_offset];
    octet = static_cast<std::uint8_t>((octet & 0xE0) | numbers.key_index);
  }
}

}  // namespace tertulia
