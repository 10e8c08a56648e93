// One received RTP packet on its way through the router: what its header, its extensions and its codec say, read once
// and then used for every slot that shows its source.
#pragma once

#include <array>
#include <cstdint>
#include <optional>

#include "tertulia/types.hpp"
#include "wire/bytes.hpp"

namespace tertulia {

inline constexpr std::size_t kExtCount = static_cast<std::size_t>(Ext::kCount);

// What a video packet says about its picture.
struct Picture {
  bool key_frame = false;    // begins a picture that needs nothing before it
  std::uint32_t pixels = 0;  // width x height, known in key frames of VP8 only

  // VP8 (RFC 7741): numbers that a slot continues across switches. Offsets are into the payload.
  bool has_picture_id = false;
  bool has_tl0_index = false;
  bool has_key_index = false;
  std::int64_t picture_id = 0;  // unwrapped by the layer
  std::uint8_t tl0_index = 0;
  std::uint8_t key_index = 0;
  std::uint16_t picture_id_offset = 0;
  std::uint16_t tl0_index_offset = 0;
  std::uint16_t key_index_offset = 0;
};

struct IncomingPacket {
  MutableBytes payload;  // without padding; mungers rewrite it in place, one slot after the other
  std::array<Bytes, kExtCount> extensions{};
  TimeUs arrival_us = 0;
  TimeUs capture_us = 0;      // its timestamp on the worker's clock; meaningful with `newest` only
  std::int64_t sequence = 0;  // unwrapped by the layer
  std::uint32_t ssrc = 0;
  std::uint32_t timestamp = 0;
  std::uint8_t payload_type = 0;
  bool marker = false;
  bool repaired = false;       // came as RTX
  bool newest = false;         // nothing after it has arrived
  bool in_order = false;       // follows directly on the one that was the newest
  bool new_timestamp = false;  // its timestamp differs from the one that was the newest; with `newest` only
  Picture picture;

  // Extension values moved out of the way when the payload had to grow to the left.
  std::array<std::uint8_t, 40> moved{};
  std::array<std::uint8_t, 8> capture_time{};  // the extension's value, on the worker's clock

  [[nodiscard]] Bytes extension(Ext ext) const { return extensions[static_cast<std::size_t>(ext)]; }
};

}  // namespace tertulia
