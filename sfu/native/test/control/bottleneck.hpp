// One bottleneck with its queue, on virtual time: what becomes of packets that are sent into it. Enough for what
// control/ sees of a network, which is numbers.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <random>

#include "time.hpp"

namespace tertulia::test {

struct Bottleneck {
  std::uint64_t rate_bps = 1'000'000;
  TimeUs delay_us = 25 * kMillisecond;
  TimeUs queue_us = 500 * kMillisecond;  // how long a packet may have to wait; beyond it is dropped
  TimeUs jitter_us = 0;                  // uniform, without reordering
  double loss = 0;
  std::mt19937_64 random{1};
  TimeUs free_us = 0;  // when what is queued has left
  TimeUs last_us = 0;

  // When a packet of this size arrives; nothing: never.
  std::optional<TimeUs> Send(TimeUs now, std::size_t bytes) {
    const TimeUs start = std::max(now, free_us);
    if (start - now > queue_us) {
      return std::nullopt;
    }
    free_us = start + static_cast<TimeUs>(bytes * 8 * kSecond / rate_bps);
    if (std::uniform_real_distribution<>(0, 1)(random) < loss) {
      return std::nullopt;
    }
    const TimeUs jitter = jitter_us == 0 ? 0 : std::uniform_int_distribution<TimeUs>(0, jitter_us)(random);
    last_us = std::max(last_us, free_us + delay_us + jitter);
    return last_us;
  }
};

}  // namespace tertulia::test
