// The dependency descriptor (RTP payload format for AV1, appendix A): which frames a frame needs, and which decode
// targets (pairs of a resolution and a frame rate) it belongs to. It lets layers be chosen without a look into the
// payload.
#pragma once

#include <array>
#include <cstdint>
#include <optional>

#include "wire/bytes.hpp"

namespace tertulia::dd {

inline constexpr std::size_t kMaxTemplates = 64;
inline constexpr std::size_t kMaxTargets = 32;
inline constexpr std::size_t kMaxSpatial = 4;
inline constexpr std::size_t kMaxTemporal = 8;
inline constexpr std::size_t kMaxReferences = 8;  // a frame of AV1 has seven
inline constexpr std::size_t kMaxSize = 255;      // what the two-byte form of a header extension holds

// Decode targets as bits: the lowest is target 0.
using Targets = std::uint32_t;

// What frames of one kind have in common.
struct Template {
  std::uint8_t spatial = 0;
  std::uint8_t temporal = 0;
  Targets present = 0;                                     // belongs to the target
  Targets switches = 0;                                    // ... and the target is decodable from here on
  Targets begins = 0;                                      // needs no earlier frame of the target's chain
  std::array<std::uint16_t, kMaxReferences> references{};  // distances in frame numbers
  std::uint8_t reference_count = 0;
};

struct Target {
  std::uint8_t spatial = 0;
  std::uint8_t temporal = 0;
  std::uint8_t chain = 0;
  Targets within = 0;  // targets whose frames are all part of this one
};

// Sent with key frames, in force until the next.
struct Structure {
  std::uint8_t first_template = 0;
  std::uint8_t template_count = 0;
  std::uint8_t target_count = 0;
  std::uint8_t chain_count = 0;
  std::uint8_t spatial_count = 0;
  std::array<Template, kMaxTemplates> templates{};
  std::array<Target, kMaxTargets> targets{};
  std::array<std::uint32_t, kMaxSpatial> pixels{};  // by spatial layer; 0: not said

  [[nodiscard]] Targets all() const { return target_count >= 32 ? ~Targets{0} : (Targets{1} << target_count) - 1; }
};

// Where a descriptor's parts are, in bits: what it takes to rewrite it.
struct Layout {
  std::uint16_t structure_end = 0;  // the structure begins after the flags
  std::uint16_t rest = 0;           // where the frame's own definitions begin ...
  std::uint16_t end = 0;            // ... and end
  std::uint8_t target_count = 0;
};

// What one packet says.
struct Descriptor {
  bool first_packet = false;  // of the frame
  bool last_packet = false;
  std::uint8_t template_id = 0;
  std::uint16_t frame_number = 0;
  bool has_structure = false;
  std::optional<Targets> active;
  Template frame;  // the template with what this frame has of its own
  Layout layout;
};

// The three bytes that every descriptor begins with; no more than 255 bytes are read.
[[nodiscard]] std::optional<Descriptor> ParseMandatory(Bytes value);

// Reads a whole descriptor by the structure in force. One that carries a structure is read by that, which is written to
// `fresh`. Nothing for what is malformed, over a limit, or of a structure that is not known.
[[nodiscard]] std::optional<Descriptor> Parse(Bytes value, const Structure* known, Structure& fresh);

// Writes a descriptor with another frame number and, if Parse has read it, with other active targets. Returns the size;
// 0 if it does not fit.
[[nodiscard]] std::size_t Rewrite(Bytes value, const Layout& layout, std::uint16_t frame_number,
                                  std::optional<Targets> active, MutableBytes out);

}  // namespace tertulia::dd
