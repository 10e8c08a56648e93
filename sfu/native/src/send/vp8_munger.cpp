#include "send/vp8_munger.hpp"

namespace tertulia {

Vp8Offsets Vp8Munger::Open(const Picture& first) const {
  Vp8Offsets offsets;
  if (first.has_picture_id) {
    offsets.picture_id = static_cast<std::uint16_t>(picture_id_ + 1 - first.picture_id);
  }
  if (first.has_tl0_index) {
    offsets.tl0_index = static_cast<std::uint8_t>(tl0_index_ + 1 - first.tl0_index);
  }
  if (first.has_key_index) {
    offsets.key_index = static_cast<std::uint8_t>(key_index_ + 1 - first.key_index);
  }
  return offsets;
}

void Vp8Munger::Apply(const Vp8Offsets& offsets, const Picture& picture, MutableBytes payload, bool newest) {
  if (picture.has_picture_id) {
    const auto id = static_cast<std::uint16_t>((picture.picture_id + offsets.picture_id) & 0x7FFF);
    WriteU16(&payload[picture.picture_id_offset], static_cast<std::uint16_t>(0x8000 | id));
    picture_id_ = newest ? id : picture_id_;
  }
  if (picture.has_tl0_index) {
    const auto index = static_cast<std::uint8_t>(picture.tl0_index + offsets.tl0_index);
    payload[picture.tl0_index_offset] = index;
    tl0_index_ = newest ? index : tl0_index_;
  }
  if (picture.has_key_index) {
    const auto index = static_cast<std::uint8_t>((picture.key_index + offsets.key_index) & 0x1F);
    std::uint8_t& octet = payload[picture.key_index_offset];
    octet = static_cast<std::uint8_t>((octet & 0xE0) | index);
    key_index_ = newest ? index : key_index_;
  }
}

}  // namespace tertulia
