// A slot's numbers: sequence numbers without a gap of our own making, timestamps on the slot's line, the numbers of
// pictures, all continued for the slot's whole life while what it shows comes and goes.
#pragma once

#include <cstdint>
#include <optional>

#include "recv/packet.hpp"
#include "send/gap_map.hpp"
#include "send/interval_map.hpp"
#include "send/numbers.hpp"
#include "send/picture_munger.hpp"
#include "send/timeline.hpp"
#include "tertulia/types.hpp"

namespace tertulia {

class OutgoingStream {
 public:
  OutgoingStream(Kind kind, std::uint32_t ssrc);

  // Another stream (or the same after a break) begins with `first`. Nothing that came before it is mapped any more.
  void Open(const IncomingPacket& first);
  void Close() { timestamps_.Close(); }
  [[nodiscard]] bool open() const { return timestamps_.open(); }

  // The numbers under which a packet is sent; nothing for one from before Open.
  std::optional<Numbers> Map(const IncomingPacket& packet);
  // A packet is left out (padding, a format that the viewer does not know, a layer): what follows closes the gap.
  void Skip(const IncomingPacket& packet);

  [[nodiscard]] const Timeline& timeline() const { return timeline_; }
  // The timestamp that follows on everything sent so far.
  [[nodiscard]] std::uint32_t next_timestamp() const { return timestamp_ + 1; }

 private:
  static constexpr std::size_t kPackets = 512;  // as far back as Reception tells a late packet from a duplicate
  static constexpr std::size_t kCorrections = 16;

  void Steer(const IncomingPacket& packet);
  [[nodiscard]] std::int32_t VideoCorrection(std::int32_t error, std::int32_t advance) const;
  [[nodiscard]] std::int32_t AudioCorrection(std::int32_t error, std::int32_t advance) const;

  Kind kind_;
  Timeline timeline_;
  GapMap<kPackets> sequences_;
  IntervalMap<std::uint32_t, kCorrections> timestamps_;  // offsets
  PictureMunger pictures_;
  bool sent_ = false;
  std::uint32_t timestamp_ = 0;         // the newest sent
  std::uint32_t source_timestamp_ = 0;  // what it was before
};

}  // namespace tertulia
