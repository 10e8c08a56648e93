// Words about time that the router's parts share.
#pragma once

#include <limits>

#include "tertulia/types.hpp"

namespace tertulia {

inline constexpr TimeUs kNever = std::numeric_limits<TimeUs>::max();
inline constexpr TimeUs kMillisecond = 1'000;
inline constexpr TimeUs kSecond = 1'000'000;

}  // namespace tertulia
