#include "emulator/link.hpp"

#include <algorithm>

namespace tertulia::test {

void Link::Send(Bytes datagram, TimeUs now) {
  ++counters_.sent;
  counters_.bytes += datagram.size();
  TimeUs departure = now;
  if (config_.rate_bps != 0) {
    departure = std::max(now, free_us_);
    if (departure - now > config_.queue_us) {
      ++counters_.overflow;
      return;
    }
    departure += static_cast<TimeUs>(datagram.size() * 8 * 1'000'000 / config_.rate_bps);
    free_us_ = departure;
  }
  // Drawn for every datagram, lost or not: a change of one probability leaves the other draws as they were.
  const bool lost = random_.Chance(config_.loss);
  const TimeUs jitter = random_.Below(config_.jitter_us + 1);
  const bool held_back = random_.Chance(config_.reorder);
  if (lost || (config_.drop && config_.drop(datagram))) {
    ++counters_.lost;
    return;
  }
  TimeUs arrival = departure + config_.delay_us + jitter;
  if (held_back) {
    arrival += config_.reorder_us;
  } else {
    arrival = newest_arrival_us_ = std::max(arrival, newest_arrival_us_);
  }
  under_way_.push({arrival, number_++, {datagram.begin(), datagram.end()}});
}

std::optional<std::vector<std::uint8_t>> Link::Take(TimeUs now) {
  if (next_us() > now) {
    return std::nullopt;
  }
  std::vector<std::uint8_t> bytes = under_way_.top().bytes;
  under_way_.pop();
  ++counters_.delivered;
  counters_.delivered_bytes += bytes.size();
  return bytes;
}

}  // namespace tertulia::test
