#include "recv/layer_rates.hpp"

#include <algorithm>
#include <bit>

namespace tertulia {
namespace {

std::uint64_t Smoothed(std::uint64_t before, std::uint64_t bytes, TimeUs elapsed) {
  const std::uint64_t measured = bytes * 8 * 1'000'000 / static_cast<std::uint64_t>(elapsed);
  if (before == 0) {
    return measured;
  }
  // The first measurement holds a key frame, and is to be forgotten soon.
  return measured < before ? (before + measured) / 2 : (before * 3 + measured) / 4;
}

}  // namespace

bool LayerRates::Add(const IncomingPacket& packet, std::size_t size) {
  bytes_ += size;
  Count(packet, size);
  const TimeUs elapsed = packet.arrival_us - start_us_;
  if (elapsed < kWindowUs) {
    return false;
  }
  if (elapsed < 4 * kWindowUs) {
    bitrate_bps_ = Smoothed(bitrate_bps_, bytes_, elapsed);
    Close(elapsed);
    MakeOptions();
  }
  for (Cell& cell : cells_) {
    cell.bytes = 0;
  }
  bytes_ = 0;
  start_us_ = packet.arrival_us;
  return true;
}

void LayerRates::Count(const IncomingPacket& packet, std::size_t size) {
  const Picture& picture = packet.picture;
  if (picture.layering == Layering::kUndescribed || packet.payload.empty()) {
    return;
  }
  const bool described = picture.layering == Layering::kDescribed;
  if (described != described_) {
    cells_ = {};
    described_ = described;
  }
  if (described) {
    CountDescribed(packet.dependencies, size);
    return;
  }
  const std::size_t index = picture.spatial * kTemporal + picture.temporal;
  if (index < cells_.size()) {
    cells_[index].target = {picture.spatial, picture.temporal};
    cells_[index].bytes += size;
  }
  pixels_ = picture.pixels != 0 ? picture.pixels : pixels_;
}

void LayerRates::CountDescribed(const Dependencies& dependencies, std::size_t size) {
  const dd::Structure& structure = *dependencies.structure;
  if (dependencies.descriptor->has_structure) {
    // The targets may be others now.
    for (std::size_t i = 0; i < cells_.size(); ++i) {
      const LayerTarget target = {structure.targets[i].spatial, structure.targets[i].temporal};
      const bool same = i < structure.target_count && cells_[i].target == target;
      cells_[i] = same ? cells_[i] : Cell{target, 0, 0, 0};
      cells_[i].pixels = i < structure.target_count ? structure.pixels[target.spatial] : 0;
    }
  }
  for (dd::Targets targets = dependencies.descriptor->frame.present; targets != 0; targets &= targets - 1) {
    cells_[static_cast<std::size_t>(std::countr_zero(targets))].bytes += size;
  }
}

void LayerRates::Close(TimeUs elapsed) {
  for (Cell& cell : cells_) {
    // A layer that sent nothing for so long is not there.
    cell.bitrate_bps = cell.bytes == 0 ? 0 : Smoothed(cell.bitrate_bps, cell.bytes, elapsed);
  }
}

void LayerRates::MakeOptions() {
  count_ = 0;
  for (const Cell& cell : cells_) {
    if (cell.bitrate_bps != 0) {
      options_[count_++] = {cell.target, cell.bitrate_bps, cell.pixels};
    }
  }
  const auto made = std::span(options_).first(count_);
  std::sort(made.begin(), made.end(), [](const auto& a, const auto& b) { return a.target < b.target; });
  if (described_ || made.empty()) {
    return;
  }
  const std::uint8_t top = made.back().target.spatial;
  for (std::size_t i = count_; i-- > 0;) {
    LayerOption& option = options_[i];
    // Each spatial layer has half the width and height of the next.
    option.pixels = pixels_ >> (2 * std::min(top - option.target.spatial, 15));
    for (std::size_t j = 0; j < i; ++j) {
      if (options_[j].target.temporal <= option.target.temporal) {
        option.bitrate_bps += options_[j].bitrate_bps;
      }
    }
  }
}

}  // namespace tertulia
