// What the layers of a source can do, as numbers: the router says what there is, the allocator chooses. A layer is a
// pair: the spatial one (a simulcast encoding, or a spatial layer of an SVC stream) and the highest temporal one in it.
#pragma once

#include <compare>
#include <cstdint>

namespace tertulia {

// Layers are numbered from the smallest picture (spatial) and the lowest frame rate (temporal) up. A simulcast source's
// spatial number is the rank of the encoding by resolution, not its place in the offer.
struct LayerTarget {
  std::uint8_t spatial = 0;
  std::uint8_t temporal = 0;
  friend auto operator<=>(const LayerTarget&, const LayerTarget&) = default;
};

// Everything, whatever it costs: what a viewer whose bandwidth is not estimated gets.
inline constexpr LayerTarget kBestLayer{UINT8_MAX, UINT8_MAX};

// One choice that a source offers at the moment, with all it depends on.
struct LayerOption {
  LayerTarget target;
  std::uint64_t bitrate_bps = 0;  // measured; of everything that is forwarded for this choice
  std::uint32_t pixels = 0;       // width x height; 0: not known
  friend bool operator==(const LayerOption&, const LayerOption&) = default;
};

}  // namespace tertulia
