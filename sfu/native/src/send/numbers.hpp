// Everything of a packet that differs from one viewer to the next, as it is sent. Written down when the packet is sent
// for the first time, it makes the same packet again.
#pragma once

#include <cstdint>

#include "wire/dd.hpp"

namespace tertulia {

struct Numbers {
  std::uint32_t timestamp = 0;
  std::uint16_t sequence = 0;
  std::uint16_t picture_id = 0;    // VP8 and VP9
  std::uint16_t frame_number = 0;  // of the dependency descriptor
  std::uint8_t tl0_index = 0;
  std::uint8_t key_index = 0;
  bool marker = false;
  bool tells_active = false;  // the descriptor says which decode targets are active
  dd::Targets active = 0;
};

}  // namespace tertulia
