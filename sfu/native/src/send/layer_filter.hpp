// Which packets of the stream that is shown a viewer gets: temporal and spatial layers are left out and taken in again
// only where the decoder can follow. What is wanted changes at any time; what is sent changes where a picture begins.
#pragma once

#include <cstdint>

#include "control/layer_option.hpp"
#include "recv/packet.hpp"
#include "send/interval_map.hpp"
#include "send/target_choice.hpp"

namespace tertulia {

class LayerFilter {
 public:
  // From now on; kBestLayer is everything.
  void Want(LayerTarget wanted) { wanted_ = wanted; }
  // A stream begins with the key frame `first`, which Decide gets next.
  void Open(const IncomingPacket& first);

  struct Verdict {
    bool send = false;
    bool last = false;   // of its picture, for this viewer
    bool tells = false;  // the viewer should hear which decode targets are active
    dd::Targets active = 0;
  };
  Verdict Decide(const IncomingPacket& packet);

  // What is wanted of this stream can be had only from a key frame on.
  [[nodiscard]] bool needs_key_frame() const { return needs_key_frame_; }

 private:
  // What was sent from some packet on: layers up to a limit, or a decode target.
  struct Choice {
    LayerTarget limit = kBestLayer;
    std::uint8_t target = 0;
  };
  static constexpr std::size_t kChoices = 8;
  // A change of the active decode targets is repeated in so many frames, as any of them may be lost.
  static constexpr std::uint8_t kRepeats = 16;

  void Steer(const IncomingPacket& packet);
  [[nodiscard]] LayerTarget NextLimit(const Picture& picture, LayerTarget now) const;
  [[nodiscard]] Verdict DecideDescribed(const IncomingPacket& packet, const Choice& choice);

  LayerTarget wanted_ = kBestLayer;
  IntervalMap<Choice, kChoices> choices_;
  TargetChoice targets_;
  std::uint32_t picture_ = 0;     // timestamp of the picture that was steered at last
  std::uint8_t top_spatial_ = 0;  // of what came lately
  bool needs_key_frame_ = false;
  dd::Targets told_ = 0;
  std::uint8_t repeats_ = 0;
};

}  // namespace tertulia
