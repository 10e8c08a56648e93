// Continues VP8's picture id, TL0PICIDX and KEYIDX (RFC 7741) across whatever a slot shows, so that the decoder sees
// one stream that never jumps.
#pragma once

#include <cstdint>

#include "recv/packet.hpp"
#include "send/interval_map.hpp"

namespace tertulia {

class Vp8Munger {
 public:
  // The offsets under which `first` follows on what was sent last.
  [[nodiscard]] Vp8Offsets Open(const Picture& first) const;
  // Rewrites the descriptor in place. `newest`: what follows continues from here.
  void Apply(const Vp8Offsets& offsets, const Picture& picture, MutableBytes payload, bool newest);

 private:
  std::uint16_t picture_id_ = 0;
  std::uint8_t tl0_index_ = 0;
  std::uint8_t key_index_ = 0;
};

}  // namespace tertulia
