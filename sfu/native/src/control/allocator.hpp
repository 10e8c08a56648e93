// Who gets how much of a viewer's bandwidth: a pure function from what slots could show, what is wanted and what is
// there to what each slot shows. Rules, in this order:
//
// 1. The sum never exceeds what is available. Sound is not weighed here: its share is taken off before.
// 2. Slots of the first class (screens) get all they can use, before others get anything.
// 3. Then everybody gets the least layer, in the order of priority and size; then better ones, a class after the other,
//    in turns of one layer, so that equals stay equal. Within a slot, temporal layers are given up before a spatial
//    one.
// 4. What a slot has is not taken for the sake of a better layer elsewhere of the same class or below, and a better
// layer
//    than it has must fit with room to spare, and may be barred for a while: nothing flaps.
#pragma once

#include <cstdint>
#include <span>

#include "control/layer_option.hpp"

namespace tertulia {

inline constexpr std::uint8_t kFirstClass = 200;  // priorities from here on are rule 2

struct SlotDemand {
  std::span<const LayerOption> options;  // ascending by target; empty: nothing to show
  std::uint32_t max_pixels = 0;          // of the place where it is shown; 0: not known, so all
  std::uint8_t priority = 0;
  bool has = false;     // it shows `current` now
  bool barred = false;  // nothing better than `current` for now
  LayerTarget current;
};

struct SlotGrant {
  bool shown = false;  // false: nothing fits, or there is nothing
  LayerTarget target;
  std::uint64_t bitrate_bps = 0;
};

struct Allocation {
  std::uint64_t granted_bps = 0;
  std::uint64_t wanted_bps = 0;  // with all that is wanted
  // What would be needed for the next better layer of some slot, barred or not; 0: nobody wants more.
  std::uint64_t next_bps = 0;
};

// `grants` has the size of `demands`. At most kMaxDemands; what exceeds it gets nothing.
inline constexpr std::size_t kMaxDemands = 256;
Allocation Allocate(std::span<const SlotDemand> demands, std::uint64_t available_bps, std::span<SlotGrant> grants);

// The options that are worth sending to a place of `max_pixels`: up to the smallest picture that fills it.
[[nodiscard]] std::span<const LayerOption> UsefulOptions(std::span<const LayerOption> options,
                                                         std::uint32_t max_pixels);

}  // namespace tertulia
