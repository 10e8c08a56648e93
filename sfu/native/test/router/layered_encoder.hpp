// An encoder that makes layers as browsers do, without pictures: every packet carries the number of its frame, and the
// model knows which frames each needs. VP8 with temporal layers, VP9 with its payload descriptor or a dependency
// descriptor, AV1 with a dependency descriptor; spatial layers that depend on each other always (L3T3) or in key frames
// (L3T3_KEY).
#pragma once

#include <cstdint>
#include <vector>

#include "tertulia/types.hpp"
#include "wire/bits.hpp"

namespace tertulia::test {

struct LayeredOptions {
  Codec codec = Codec::kAv1;
  unsigned spatial = 3, temporal = 3;
  bool key_only = true;   // spatial layers depend on each other in key frames only
  bool described = true;  // has a dependency descriptor
  bool flexible = true;   // VP9: names its references
  unsigned packets = 2;   // a frame
};

// One frame of one spatial layer.
struct ModelFrame {
  std::uint32_t number = 0;   // the index in the encoder's list
  std::uint32_t picture = 0;  // counted
  unsigned spatial = 0, temporal = 0;
  bool key_picture = false;
  std::vector<std::uint32_t> references;
};

struct ModelPacket {
  std::uint32_t frame = 0;
  unsigned index = 0;  // within the frame
  bool marker = false, key_frame = false;
  std::uint32_t timestamp = 0;
  std::vector<std::uint8_t> descriptor;  // empty: none
  std::vector<std::uint8_t> payload;     // ends with the frame's number
};

class LayeredEncoder {
 public:
  explicit LayeredEncoder(const LayeredOptions& options) : options_(options) {}

  // The packets of the next picture.
  std::vector<ModelPacket> Encode(std::uint32_t timestamp, bool key_frame);

  [[nodiscard]] const std::vector<ModelFrame>& frames() const { return frames_; }
  [[nodiscard]] const LayeredOptions& options() const { return options_; }

 private:
  // Which pictures of four are of which temporal layer.
  [[nodiscard]] unsigned TemporalOf(unsigned phase) const;
  [[nodiscard]] std::vector<std::uint32_t> ReferencesOf(unsigned spatial, unsigned temporal, bool key_frame) const;
  [[nodiscard]] std::uint32_t Indications(const ModelFrame& frame) const;  // two bits a target
  [[nodiscard]] std::uint32_t Usual(unsigned spatial, unsigned temporal, bool key_frame) const;
  void WriteStructure(BitWriter& writer) const;
  [[nodiscard]] std::vector<std::uint8_t> Descriptor(const ModelFrame& frame, bool first, bool last) const;
  [[nodiscard]] std::vector<std::uint8_t> Header(const ModelFrame& frame, bool first, bool last) const;
  void Remember(const ModelFrame& frame);

  LayeredOptions options_;
  std::vector<ModelFrame> frames_;
  std::uint32_t pictures_ = 0;
  unsigned phase_ = 0;
  std::uint8_t tl0_index_ = 100;
  bool synced_ = false;           // VP8: no picture of the layer since the lowest
  std::uint32_t base_[4] = {};    // frame numbers, by spatial layer: the last of temporal layer 0
  std::uint32_t middle_[4] = {};  // ... and of 1
  std::uint32_t chain_[4] = {};   // the last in the chain
  bool broken_[4] = {};           // the chain begins with the frame that is written
};

}  // namespace tertulia::test
