// One direction of a network path on virtual time: it loses, delays, reorders and queues datagrams as a seed says, the
// same on every run. A bottleneck (rate and queue) comes first, then loss, then the way to the other end.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <queue>
#include <vector>

#include "emulator/random.hpp"
#include "time.hpp"
#include "wire/bytes.hpp"

namespace tertulia::test {

struct LinkConfig {
  double loss = 0;  // probability of each datagram, independent of the others
  TimeUs delay_us = 0;
  TimeUs jitter_us = 0;  // up to so much more, in order
  double reorder = 0;    // probability of a datagram to be held back and overtaken ...
  TimeUs reorder_us = 10 * kMillisecond;
  std::uint64_t rate_bps = 0;            // 0: unlimited
  TimeUs queue_us = 200 * kMillisecond;  // what would wait for the bottleneck longer is dropped
  std::function<bool(Bytes)> drop = {};  // chosen losses, besides the random ones: true loses the datagram
};

class Link {
 public:
  Link(LinkConfig config, std::uint64_t seed) : config_(std::move(config)), random_(seed) {}

  // From now on; what is under way arrives as it was sent.
  void Configure(LinkConfig config) { config_ = std::move(config); }
  [[nodiscard]] const LinkConfig& config() const { return config_; }

  void Send(Bytes datagram, TimeUs now);
  // When Take has something; kNever if nothing is under way.
  [[nodiscard]] TimeUs next_us() const { return under_way_.empty() ? kNever : under_way_.top().at; }
  std::optional<std::vector<std::uint8_t>> Take(TimeUs now);

  struct Counters {
    std::uint64_t sent = 0, bytes = 0;
    std::uint64_t lost = 0;      // at random or by choice
    std::uint64_t overflow = 0;  // no place in the queue
    std::uint64_t delivered = 0, delivered_bytes = 0;
  };
  [[nodiscard]] const Counters& counters() const { return counters_; }

 private:
  struct Datagram {
    TimeUs at = 0;
    std::uint64_t number = 0;  // keeps the order of those that arrive together
    std::vector<std::uint8_t> bytes;
    bool operator<(const Datagram& other) const { return at != other.at ? at > other.at : number > other.number; }
  };

  LinkConfig config_;
  Random random_;
  std::priority_queue<Datagram> under_way_;
  std::uint64_t number_ = 0;
  TimeUs free_us_ = 0;  // when the bottleneck has sent what it was given
  TimeUs newest_arrival_us_ = 0;
  Counters counters_;
};

}  // namespace tertulia::test
