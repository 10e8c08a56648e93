// What each choice of layers within one stream costs: bits a second, measured over half a second at a time, of
// everything that is forwarded for the choice.
#pragma once

#include <array>
#include <cstdint>
#include <span>

#include "control/layer_option.hpp"
#include "recv/packet.hpp"
#include "time.hpp"

namespace tertulia {

class LayerRates {
 public:
  static constexpr std::size_t kMaxOptions = 32;

  // True if this ended a time of measuring: rates and options are new.
  bool Add(const IncomingPacket& packet, std::size_t size);

  // Of the whole stream.
  [[nodiscard]] std::uint64_t bitrate_bps() const { return bitrate_bps_; }
  // By spatial, then temporal layer. A stream whose layers are not known is one choice.
  [[nodiscard]] std::span<const LayerOption> options() const { return std::span(options_).first(count_); }

 private:
  static constexpr TimeUs kWindowUs = 500 * kMillisecond;
  static constexpr std::size_t kTemporal = 8;

  // One temporal layer of one spatial layer, or, of a described stream, one decode target.
  struct Cell {
    LayerTarget target;
    std::uint64_t bytes = 0;
    std::uint64_t bitrate_bps = 0;
    std::uint32_t pixels = 0;
  };

  void Count(const IncomingPacket& packet, std::size_t size);
  void CountDescribed(const Dependencies& dependencies, std::size_t size);
  void Close(TimeUs elapsed);
  void MakeOptions();

  std::array<Cell, kMaxOptions> cells_{};
  std::array<LayerOption, kMaxOptions> options_{};
  std::size_t count_ = 0;
  std::uint64_t bitrate_bps_ = 0;
  std::uint64_t bytes_ = 0;
  std::uint32_t pixels_ = 0;
  TimeUs start_us_ = 0;
  bool described_ = false;
};

}  // namespace tertulia
