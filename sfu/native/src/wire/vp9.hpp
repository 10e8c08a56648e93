// The VP9 payload descriptor (RFC 9628), as far as forwarding without layers needs it.
#pragma once

#include <cstdint>
#include <optional>

#include "wire/bytes.hpp"

namespace tertulia {

struct Vp9Descriptor {
  bool inter_predicted = false;  // P
  bool frame_start = false;      // B
  bool frame_end = false;        // E
  std::optional<std::uint16_t> picture_id;
  std::uint8_t temporal_layer = 0;
  std::uint8_t spatial_layer = 0;
  bool switching_up = false;  // U
  bool inter_layer = false;   // D
};

[[nodiscard]] std::optional<Vp9Descriptor> ParseVp9(Bytes payload);
// First packet of a frame of the lowest spatial layer that predicts from nothing.
[[nodiscard]] bool IsVp9KeyFrame(Bytes payload);

}  // namespace tertulia
