// The VP9 payload descriptor (RFC 9628), in both of its modes: flexible (each picture names its references) and not (a
// group of pictures that repeats is described with key frames).
#pragma once

#include <array>
#include <cstdint>
#include <optional>

#include "wire/bytes.hpp"

namespace tertulia {

struct Vp9Descriptor {
  static constexpr std::size_t kMaxReferences = 3;
  static constexpr std::size_t kMaxSpatial = 8;

  std::size_t size = 0;          // of the descriptor; the VP9 payload follows
  bool inter_predicted = false;  // P: predicted from an earlier picture
  bool layered = false;          // L: the layer indices were said
  bool flexible = false;         // F
  bool frame_start = false;      // B: of a frame of one spatial layer
  bool frame_end = false;        // E
  bool not_reference = false;    // Z: no higher spatial layer needs this frame
  std::optional<std::uint16_t> picture_id;
  bool long_picture_id = false;       // 15 bits, else 7
  std::size_t picture_id_offset = 0;  // where to rewrite it; meaningful with picture_id
  std::uint8_t temporal_layer = 0;
  std::uint8_t spatial_layer = 0;
  bool switching_up = false;  // U
  bool inter_layer = false;   // D: predicted from the spatial layer below
  std::optional<std::uint8_t> tl0_index;
  std::size_t tl0_index_offset = 0;
  std::array<std::uint8_t, kMaxReferences> references{};  // P_DIFF, in flexible mode
  std::size_t reference_count = 0;
  // Of the scalability structure, if there is one with sizes.
  std::size_t spatial_count = 0;
  std::array<std::uint32_t, kMaxSpatial> pixels{};
};

[[nodiscard]] std::optional<Vp9Descriptor> ParseVp9(Bytes payload);
// First packet of a frame of the lowest spatial layer that predicts from nothing.
[[nodiscard]] bool IsVp9KeyFrame(Bytes payload);

}  // namespace tertulia
