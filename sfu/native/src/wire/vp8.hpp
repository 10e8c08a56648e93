// The VP8 payload descriptor (RFC 7741).
#pragma once

#include <cstdint>
#include <optional>

#include "wire/bytes.hpp"

namespace tertulia {

struct Vp8Descriptor {
  std::size_t size = 0;        // of the descriptor; the VP8 payload follows
  bool frame_start = false;    // first packet of a frame: S set and partition 0
  bool non_reference = false;  // N: may be dropped without harm
  bool key_frame = false;      // known in the first packet of a frame only
  bool layer_sync = false;     // Y
  std::optional<std::uint16_t> picture_id;
  bool long_picture_id = false;       // 15 bits, else 7
  std::size_t picture_id_offset = 0;  // where to rewrite it; meaningful with picture_id
  std::optional<std::uint8_t> tl0_index;
  std::size_t tl0_index_offset = 0;
  std::optional<std::uint8_t> temporal_layer;
  std::optional<std::uint8_t> key_index;  // KEYIDX, 5 bits
  std::size_t key_index_offset = 0;       // of the octet that holds it in its low five bits
  std::uint16_t width = 0;                // of a key frame, from its first packet (RFC 6386, 9.1); 0: unknown
  std::uint16_t height = 0;
};

[[nodiscard]] std::optional<Vp8Descriptor> ParseVp8(Bytes payload);
[[nodiscard]] bool IsVp8KeyFrame(Bytes payload);
// Writes the picture id in place, in the width that the descriptor has.
void SetVp8PictureId(MutableBytes payload, const Vp8Descriptor& descriptor, std::uint16_t picture_id);
void SetVp8Tl0Index(MutableBytes payload, const Vp8Descriptor& descriptor, std::uint8_t tl0_index);

}  // namespace tertulia
