// One received RTP packet on its way through the router: what its header, its extensions and its codec say, read once
// and then used for every slot that shows its source.
#pragma once

#include <array>
#include <cstdint>
#include <optional>

#include "tertulia/types.hpp"
#include "wire/bytes.hpp"
#include "wire/dd.hpp"

namespace tertulia {

inline constexpr std::size_t kExtCount = static_cast<std::size_t>(Ext::kCount);

// How the layers of a picture are told apart.
enum class Layering : std::uint8_t {
  kNone,         // they are not: all of the stream is forwarded
  kTemporal,     // VP8's payload descriptor
  kSpatial,      // VP9's: temporal and spatial layers
  kDescribed,    // by a dependency descriptor
  kUndescribed,  // by one, but what it refers to is not known (yet)
};

// What a video packet says about its picture.
struct Picture {
  bool key_frame = false;    // begins a picture that needs nothing before it
  bool frame_start = false;  // begins a frame: the picture's part in one spatial layer
  bool frame_end = false;    // ends one
  std::uint32_t pixels = 0;  // width x height of the whole, where a key frame says it
  Layering layering = Layering::kNone;
  std::uint8_t spatial = 0;
  std::uint8_t temporal = 0;
  bool sync = false;         // VP8: needs the lowest temporal layer only; VP9: higher ones may follow
  bool closes_gaps = false;  // VP8: the ids of pictures that are sent follow on each other

  // VP8 (RFC 7741) and VP9 (RFC 9628): numbers that a slot continues across switches. Offsets are into the payload.
  bool has_picture_id = false;
  bool has_tl0_index = false;
  bool has_key_index = false;
  std::int64_t picture_id = 0;  // unwrapped by the layer
  std::uint8_t tl0_index = 0;
  std::uint8_t key_index = 0;
  std::uint16_t picture_id_offset = 0;
  std::uint16_t tl0_index_offset = 0;
  std::uint16_t key_index_offset = 0;

  dd::Layout descriptor;  // of the dependency descriptor, if there is one that could be read
};

// What the packet's dependency descriptor says; `structure` lives as long as the layer's next packet has not come.
struct Dependencies {
  std::optional<dd::Descriptor> descriptor;  // nothing: there is none
  const dd::Structure* structure = nullptr;  // null: not known
  dd::Targets active = 0;
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
  Dependencies dependencies;
  MutableBytes primary;           // of RED, within the payload; otherwise empty
  std::uint8_t primary_type = 0;  // the publisher's payload type of it
  // Its data came in the redundancy of a later packet, and was sent to those who do not know this payload type; 0: no.
  std::uint8_t unpacked_type = 0;

  // Extension values moved out of the way when the payload had to grow to the left.
  std::array<std::uint8_t, 40> moved{};
  std::array<std::uint8_t, 8> capture_time{};  // the extension's value, on the worker's clock

  [[nodiscard]] Bytes extension(Ext ext) const { return extensions[static_cast<std::size_t>(ext)]; }
};

}  // namespace tertulia
