// What one layer needs so that losses can be made up for, on either side of the router: what is missing from its
// publisher, and what its viewers may have missed.
#pragma once

#include <cstdint>

#include "recv/nack_requester.hpp"
#include "recv/packet_ring.hpp"
#include "recv/recent_set.hpp"
#include "tertulia/types.hpp"

namespace tertulia {

class Recovery {
 public:
  Recovery(SlabPool& pool, Kind kind)
      : nacks(kind == Kind::kVideo ? kVideoGiveUpUs : kAudioGiveUpUs),
        ring(pool, kind == Kind::kVideo ? kVideoSlabs : kAudioSlabs, kind == Kind::kVideo ? 1'024 : 128) {}

  // The layer's sequence numbers begin anew.
  void Restart() {
    ++run;
    nacks.Reset();
    ring.Clear();
    unpacked = RecentSet();
  }

  NackRequester nacks;
  PacketRing ring;
  RecentSet unpacked;              // lost packets whose data came in a later one
  std::uint8_t unpacked_type = 0;  // ... with this payload type, for those who do not know it; 0: never
  std::uint8_t run = 0;            // tells the sequence numbers of one run from those of another

 private:
  // Of use as long as a viewer waits: a player conceals sound after some hundred milliseconds, and shows a picture late
  // rather than not at all.
  static constexpr TimeUs kVideoGiveUpUs = kSecond;
  static constexpr TimeUs kAudioGiveUpUs = 250 * kMillisecond;
  static constexpr std::size_t kVideoSlabs = 32;  // 512 KiB: 1.6 s of 2.5 Mbit/s
  static constexpr std::size_t kAudioSlabs = 2;
};

}  // namespace tertulia
