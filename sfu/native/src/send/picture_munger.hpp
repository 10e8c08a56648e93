// Continues the numbers of pictures across whatever a slot shows, so that the decoder sees one stream that never jumps:
// picture id, TL0PICIDX and KEYIDX of VP8 (RFC 7741) and VP9 (RFC 9628), and the frame numbers of dependency
// descriptors.
//
// Pictures of VP8 that are left out are closed up. VP9 names references by distances of picture ids, and dependency
// descriptors by distances of frame numbers: those keep their gaps.
#pragma once

#include <cstdint>

#include "recv/packet.hpp"
#include "send/gap_map.hpp"
#include "send/numbers.hpp"

namespace tertulia {

class PictureMunger {
 public:
  // `first` follows on what was sent last.
  void Open(const IncomingPacket& first);
  // Fills the picture's numbers. False for a picture that was left out or is too old.
  bool Map(const IncomingPacket& packet, Numbers& numbers);
  // The packet is left out.
  void Skip(const IncomingPacket& packet);
  // Rewrites the payload's descriptor in place.
  static void Apply(const Numbers& numbers, const Picture& picture, MutableBytes payload);

 private:
  static constexpr std::size_t kPictures = 256;

  GapMap<kPictures> picture_ids_;
  std::uint16_t picture_id_ = 0;  // the newest sent, as the others
  std::uint16_t frame_number_ = 0;
  std::uint8_t tl0_index_ = 0;
  std::uint8_t key_index_ = 0;
  std::uint8_t tl0_offset_ = 0;
  std::uint8_t key_offset_ = 0;
  std::uint16_t frame_offset_ = 0;
};

}  // namespace tertulia
