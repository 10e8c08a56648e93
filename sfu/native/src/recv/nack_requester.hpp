// What is missing of one layer, and when to ask its publisher for it again (generic NACK, RFC 4585, 6.2.1): soon after
// a gap shows, then whenever an answer should have come, until it is there or too late to matter.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "time.hpp"

namespace tertulia {

class NackRequester {
 public:
  static constexpr std::size_t kMaxMissing = 256;
  // Packets of one burst overtake each other by this little; what is asked for sooner would often have come by itself.
  static constexpr TimeUs kReorderUs = 5 * kMillisecond;
  static constexpr unsigned kMaxTries = 10;

  // `give_up_us`: so long after it was missed, a packet is of no use.
  explicit NackRequester(TimeUs give_up_us) : give_up_us_(give_up_us) {}

  // A packet arrived that is no duplicate (unwrapped sequence number).
  struct Arrival {
    bool was_missing = false;
    std::optional<TimeUs> response_us;  // since the only time that it was asked for
  };
  Arrival OnPacket(std::int64_t sequence, TimeUs now);
  // Nothing before this packet is needed: a picture that refers to nothing begins with it.
  void Forget(std::int64_t before);
  // The stream began anew.
  void Reset();

  // The sequence numbers to ask for now, oldest first; they count as asked for. Those that are given up, with how many
  // asked for before, are counted. As many as `out` holds; call again while it is full.
  std::size_t Poll(TimeUs now, TimeUs retry_us, std::span<std::uint16_t> out);
  // When Poll has something to do; kNever if nothing is missing.
  [[nodiscard]] TimeUs due_us() const { return due_us_; }

  // Packets that were given up, since the last call.
  [[nodiscard]] std::uint64_t TakeGivenUp() { return std::exchange(given_up_, 0); }
  [[nodiscard]] std::size_t missing() const { return missing_.size(); }

 private:
  struct Missing {
    std::int64_t sequence = 0;
    TimeUs since_us = 0;
    TimeUs asked_us = 0;
    TimeUs due_us = 0;
    unsigned tries = 0;
  };

  TimeUs give_up_us_;
  std::optional<std::int64_t> newest_;
  std::vector<Missing> missing_;  // ascending; allocated when the first packet is missing
  TimeUs due_us_ = kNever;
  std::uint64_t given_up_ = 0;
};

}  // namespace tertulia
