// Which decode target of a described stream (see wire/dd.hpp) a viewer gets: as near to what is wanted as can be
// reached without breaking what the viewer decodes.
//
// A target can be entered at a frame that says so (a switch indication) and can itself be decoded, or at any time while
// all of its frames have been sent anyway, as when the frame rate is lowered.
#pragma once

#include <cstdint>

#include "control/layer_option.hpp"
#include "recv/packet.hpp"

namespace tertulia {

class TargetChoice {
 public:
  // The stream begins anew with a key frame, which comes to Begin next.
  void Open() { intact_ = 0; }
  // A picture begins with this frame. Returns the target from here on.
  std::uint8_t Begin(const Dependencies& frame, LayerTarget wanted);
  // A packet was sent, or left out.
  void OnPacket(const Dependencies& frame, bool sent);
  // Only a key frame leads to the resolution that is wanted.
  [[nodiscard]] bool NeedsKeyFrame(const dd::Structure& structure, dd::Targets active, LayerTarget wanted) const;

  [[nodiscard]] std::uint8_t current() const { return current_; }

 private:
  [[nodiscard]] dd::Targets Entrances(const dd::Descriptor& descriptor) const;

  std::uint8_t current_ = 0;
  dd::Targets intact_ = 0;  // of these, everything since they were last enterable has been sent
};

}  // namespace tertulia
