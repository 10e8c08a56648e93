// A slot's numbers: sequence numbers without a gap of our own making, timestamps on the slot's line, VP8's numbers, all
// continued for the slot's whole life while what it shows comes and goes.
#pragma once

#include <cstdint>
#include <optional>

#include "recv/packet.hpp"
#include "send/interval_map.hpp"
#include "send/timeline.hpp"
#include "send/vp8_munger.hpp"
#include "tertulia/types.hpp"

namespace tertulia {

class OutgoingStream {
 public:
  OutgoingStream(Kind kind, std::uint32_t ssrc);

  // Another stream (or the same after a break) begins with `first`. Nothing that came before it is mapped any more.
  void Open(const IncomingPacket& first);
  void Close() { map_.Close(); }
  [[nodiscard]] bool open() const { return map_.open(); }

  struct Numbers {
    std::uint16_t sequence = 0;
    std::uint32_t timestamp = 0;
  };
  // The numbers under which a packet is sent, its payload rewritten; nothing for one from before Open.
  std::optional<Numbers> Map(IncomingPacket& packet);
  // A packet is left out (padding, a format that the viewer does not know): what follows closes the gap.
  void Skip(const IncomingPacket& packet);

  [[nodiscard]] const Timeline& timeline() const { return timeline_; }
  // The timestamp that follows on everything sent so far.
  [[nodiscard]] std::uint32_t next_timestamp() const { return timestamp_ + 1; }

 private:
  void Steer(const IncomingPacket& packet);
  [[nodiscard]] std::int32_t VideoCorrection(std::int32_t error, std::int32_t advance) const;
  [[nodiscard]] std::int32_t AudioCorrection(std::int32_t error, std::int32_t advance) const;

  Kind kind_;
  Timeline timeline_;
  IntervalMap map_;
  Vp8Munger vp8_;
  std::int64_t next_sequence_;
  bool sent_ = false;
  std::uint32_t timestamp_ = 0;         // the newest sent
  std::uint32_t source_timestamp_ = 0;  // what it was before
};

}  // namespace tertulia
