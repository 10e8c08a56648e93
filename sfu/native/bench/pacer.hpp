// When a track's packets leave: as frames whose packets go back to back, as browsers send them, or evenly spaced.
#pragma once

#include <cstdint>
#include <vector>

#include "synthetic_source.hpp"

namespace tertulia::load {

enum class Shape : std::uint8_t { kFrames, kEven };

struct Pace {
  Shape shape = Shape::kFrames;
  double packets_per_second = 80;
  std::size_t packet_bytes = 1100;
};

// Audio: one packet every 20 ms.
inline constexpr Pace kOpusPace{Shape::kEven, 50, 120};

class Pacer {
 public:
  Pacer(const Pace& pace, Kind kind, std::int64_t start_ns);

  // Packets that are due at `now_ns`, of one frame; empty if none are. `next_ns` says when to come back.
  [[nodiscard]] const std::vector<Fragment>& Due(std::int64_t now_ns);
  [[nodiscard]] std::int64_t next_ns() const { return next_ns_; }
  // How far the generator itself is behind at worst.
  [[nodiscard]] std::int64_t worst_late_ns() const { return worst_late_ns_; }
  void ResetLate() { worst_late_ns_ = 0; }

 private:
  void MakeFrame();
  void MakeSingle();
  [[nodiscard]] std::uint32_t RtpTime(std::int64_t ns) const;

  Pace pace_;
  Kind kind_;
  std::int64_t start_ns_;
  std::int64_t next_ns_;
  std::int64_t tick_ = 0;  // frames, or packets when evenly spaced
  std::int64_t worst_late_ns_ = 0;
  std::vector<Fragment> due_;
};

}  // namespace tertulia::load
